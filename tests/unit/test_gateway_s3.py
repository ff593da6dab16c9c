"""The store of files on a server that speaks S3: moto's, a process of its own, over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tracemalloc
import uuid
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from contracts.errors import ServiceUnavailable
from contracts.files import MAX_BYTES
from gateway.files.inspection import inspect
from gateway.files.receiving import part_name, receive
from gateway.files.refusal import FileRefused
from gateway.files.store import BLOCK, FileStore, store_answers
from tests.apache import free_port
from tests.processes import wait_until
from tests.unit.files import MEGABYTE, PDF

BUCKET = "files"
LARGE = PDF[:-6] + os.urandom(1024) * (12 * 1024) + PDF[-6:]
"""Twelve megabytes: more than one part of a multipart upload."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until("the server answers", lambda: answers(address), 90)
        httpx2.put(f"{address}/{BUCKET}").raise_for_status()
        yield address
    finally:
        server.kill()
        server.wait()


def answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/moto-api/data.json", timeout=5).is_success
    except httpx2.TransportError:
        return False


def options(address: str) -> dict[str, object]:
    return {"key": "k", "secret": "s", "client_kwargs": {"endpoint_url": address, "region_name": "us-east-1"}}


@pytest.fixture
def store(address: str) -> FileStore:
    return FileStore(f"s3://{BUCKET}/attachments", options(address))


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 64 * 1024):
        yield content[at : at + 64 * 1024]


def put(store: FileStore, file_id: str, content: bytes, offset: int = 0) -> tuple[str, int]:
    name = part_name(offset)
    return name, asyncio.run(receive(pieces(content), store, file_id, name, MAX_BYTES))


def test_a_file_of_several_requests_is_one_file(store: FileStore) -> None:
    file = str(uuid.uuid4())
    parts = [put(store, file, LARGE[:100]), put(store, file, LARGE[100:], 100)]
    assert b"".join(store.chunks(file, parts)) == LARGE
    with store.open(file, parts) as reader:
        assert inspect(reader, "pdf", ["pdf"])["sha256"] == hashlib.sha256(LARGE).hexdigest()
        reader.seek(BLOCK + 50)
        assert reader.read(100) == LARGE[BLOCK + 50 : BLOCK + 150]


def test_an_upload_is_streamed(store: FileStore) -> None:
    """In blocks of what S3 takes at the least; not the whole of it, and not by file."""
    file = str(uuid.uuid4())
    put(store, file, LARGE[:100])  # what is loaded once is not counted
    tracemalloc.start()
    try:
        parts = [put(store, str(uuid.uuid4()), LARGE)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert parts[0][1] == len(LARGE)
    assert peak < 3 * BLOCK + 4 * MEGABYTE


def test_what_is_removed_is_gone_and_nothing_else(store: FileStore) -> None:
    file, other = str(uuid.uuid4()), str(uuid.uuid4())
    part, kept = put(store, file, PDF), put(store, other, PDF)
    second = put(store, file, PDF, len(PDF))
    store.remove_part(file, second[0])
    assert b"".join(store.chunks(file, [part])) == PDF
    store.remove(file)
    store.remove(file)
    with pytest.raises(FileNotFoundError):
        b"".join(store.chunks(file, [part]))
    assert b"".join(store.chunks(other, [kept])) == PDF


def test_more_than_was_said_leaves_nothing(store: FileStore) -> None:
    file = str(uuid.uuid4())
    name = part_name(0)
    with pytest.raises(FileRefused):
        asyncio.run(receive(pieces(LARGE), store, file, name, 7 * MEGABYTE))
    with pytest.raises(FileNotFoundError):
        b"".join(store.chunks(file, [(name, 1)]))


def test_a_bucket_that_is_not_there_or_a_server_that_is_away_is_said(address: str) -> None:
    at_once = {"config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 1}}
    for url, place in (("s3://nowhere/x", address), (f"s3://{BUCKET}/x", "http://127.0.0.1:9")):
        broken = FileStore(url, options(place) | at_once)
        with pytest.raises(ServiceUnavailable), store_answers():
            asyncio.run(receive(pieces(PDF), broken, str(uuid.uuid4()), part_name(0), MAX_BYTES))
