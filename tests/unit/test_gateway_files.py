"""Files at the gateway: streamed into the store, known by their content, refused when they would do harm."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import tracemalloc
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import HTTPException
from starlette.requests import ClientDisconnect, Request

from contracts.errors import ServiceUnavailable
from contracts.files import DEFAULT_TYPES, MAX_BYTES, MEDIA_TYPES
from deploy.local import virus_scanner
from gateway.files import zips
from gateway.files.checking import Checker
from gateway.files.inspection import MOST_PIXELS, inspect
from gateway.files.multipart import FileForm
from gateway.files.receiving import part_name, receive
from gateway.files.refusal import FileRefused
from gateway.files.scanner import Clamd, Nobody, ScannerAway
from gateway.files.store import FileStore
from tests.unit import files
from tests.unit.files import MEGABYTE, PDF
from tests.unit.gateway_fakes import FakeRpc

ALL = tuple(MEDIA_TYPES)
ID = "1d7c1c52-7b5e-4f0b-9a39-0f6f3c2a9e71"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri())


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


def put(store: FileStore, *contents: bytes) -> list[tuple[str, int]]:
    """Each content as an object of one file."""
    parts, offset = [], 0
    for content in contents:
        name = part_name(offset)
        asyncio.run(receive(pieces(content), store, ID, name, MAX_BYTES))
        parts.append((name, len(content)))
        offset += len(content)
    return parts


@pytest.mark.parametrize(
    ("content", "extension", "kind"),
    [
        (PDF, "pdf", "pdf"),
        (files.picture("PNG"), "png", "png"),
        (files.picture("JPEG"), "jpg", "jpeg"),
        (files.picture("JPEG"), "jpeg", "jpeg"),
        (files.docx(), "docx", "docx"),
        (files.container(OFD_dot_xml=b"<ofd/>", Doc_0__Document_dot_xml=b"x" * 5000), "ofd", "ofd"),
    ],
)
def test_a_file_is_known_by_its_content(content: bytes, extension: str, kind: str) -> None:
    found = inspect(io.BytesIO(content), extension, ALL)
    assert found == {"media_type": MEDIA_TYPES[kind], "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("length", [1, 65_535, 65_536, 65_537, 131_073, 262_147])
def test_a_document_passes_however_its_parts_unpack(length: int) -> None:
    """A few packed bytes become many bites, and the last one may come when nothing packed is left."""
    for filling in (bytes(length), (b"ab " * length)[:length]):
        assert inspect(io.BytesIO(files.docx(word__styles_dot_xml=filling)), "docx", ALL)


@pytest.mark.parametrize(
    ("fault", "content", "extension"),
    [
        ("empty", b"", "pdf"),
        ("too-large", PDF + bytes(MAX_BYTES), "pdf"),
        ("type", b"MZ\x90\x00 a program", "pdf"),
        ("type", b"<html><script>alert(1)</script>", "pdf"),
        ("type", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "png"),
        ("type", files.container(a=b"any archive"), "docx"),
        ("type", b"GIF89a" + bytes(20), "png"),
        ("extension", PDF, "jpg"),
        ("extension", files.picture("PNG"), "pdf"),
        ("extension", PDF, "exe"),
        ("extension", PDF, ""),
        ("broken", PDF.replace(b"%%EOF", b""), "pdf"),
        ("broken", files.picture("PNG")[:20], "png"),
        ("broken", files.docx()[:-1], "docx"),
        ("broken", files.docx() + b"x", "docx"),
        ("image-size", files.png_that_says(60_000, 60_000), "png"),
        ("zip-bomb", files.docx(word__a=bytes(20 * MEGABYTE)), "docx"),
        ("zip-bomb", files.lying_docx(), "docx"),
        ("zip-bomb", files.overlapping_docx(), "docx"),
        ("zip-bomb", files.docx(**{f"word__{n}": b"" for n in range(zips.MOST_ENTRIES)}), "docx"),
        ("encrypted", files.encrypted_docx(), "docx"),
        ("broken", files.docx(word__a=b"one", word__b=b"two").replace(b"word/b", b"word/a"), "docx"),
        ("nested", files.docx(word__embeddings__a=files.container(a=b"x")), "docx"),
        ("nested", files.docx(word__a=files.container(b=files.container(c=bytes(20 * MEGABYTE)))), "docx"),
        ("nested", files.docx(word__a=gzip.compress(bytes(20 * MEGABYTE))), "docx"),
        ("nested", files.polyglot(PDF, files.container(Evil_dot_class=b"x"), b"%%EOF\n"), "pdf"),
        ("nested", files.polyglot(files.picture("JPEG"), files.docx()), "jpg"),
        ("nested", files.polyglot(files.picture("PNG"), files.container(a=bytes(20 * MEGABYTE))), "png"),
        ("broken", files.polyglot(files.docx(), PDF), "docx"),
        ("type", files.polyglot(b"<script>alert(1)</script>", PDF), "pdf"),
        ("type", b"#!/bin/sh\n" + PDF, "pdf"),
        ("type", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old document with macros", "docx"),
        ("extension", files.docx(), "pdf"),
        ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        ("heic", b"\0\0\0\x18ftypmif1\0\0\0\0heic", "jpg"),
        ("type", b"\0\0\0\x18ftypmp42\0\0\0\0isom", "jpg"),
        ("macros", files.docx(word__vbaProject_dot_bin=b"x"), "docx"),
    ],
)
def test_what_is_refused_and_why(fault: str, content: bytes, extension: str) -> None:
    with pytest.raises(FileRefused) as refused:
        inspect(io.BytesIO(content), extension, ALL)
    assert refused.value.fault == fault


def test_all_entries_together_unpack_to_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    content = files.docx(**{f"word__{n}": bytes(1000) for n in range(10)})
    monkeypatch.setattr(zips, "MOST_UNPACKED", 10_100)
    assert inspect(io.BytesIO(content), "docx", ALL)
    monkeypatch.setattr(zips, "MOST_UNPACKED", 9_999)
    with pytest.raises(FileRefused, match="zip-bomb"):
        inspect(io.BytesIO(content), "docx", ALL)


def test_a_document_takes_only_its_own_types() -> None:
    with pytest.raises(FileRefused, match="type"):
        inspect(io.BytesIO(files.docx()), "docx", DEFAULT_TYPES)


def test_the_largest_picture_passes() -> None:
    assert inspect(io.BytesIO(files.png_that_says(8_000, MOST_PIXELS // 8_000)), "png", ALL)


@pytest.mark.parametrize("bomb", [files.docx(word__a=bytes(20 * MEGABYTE)), files.lying_docx()])
def test_a_bomb_costs_little_to_find(bomb: bytes) -> None:
    file = io.BytesIO(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused):
            inspect(file, "docx", ALL)
        assert tracemalloc.get_traced_memory()[1] < 2 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_file_is_streamed_and_never_in_memory(store: FileStore) -> None:
    """In, checked and out again: at most an eighth of the largest file, whatever is done with it."""
    piece = bytes(64 * 1024)

    async def largest() -> AsyncIterator[bytes]:
        yield PDF[:-6]
        for _ in range(MAX_BYTES // len(piece) - 1):
            yield piece
        yield PDF[-6:]

    name = part_name(0)
    scanner, heard = ListeningScanner(), 0
    checker = Checker(FakeRpc(), store, scanner)  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        length = asyncio.run(receive(largest(), store, ID, name, MAX_BYTES))
        file = {"id": ID, "parts": [[name, length]], "extension": "pdf", "types": ["pdf"]}
        outcome = asyncio.run(checker.check(file))
        for chunk in store.chunks(ID, [(name, length)]):
            heard += len(chunk)
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES / 8
    finally:
        tracemalloc.stop()
    assert outcome is not None
    assert outcome["media_type"] == "application/pdf"
    assert scanner.heard == heard == length > MAX_BYTES - len(piece)


def test_a_form_with_a_file_is_never_in_memory_either(store: FileStore) -> None:
    """What browsers send without scripts, read as it comes: its fields first, then the file's bytes."""
    piece = bytes(64 * 1024)

    async def body() -> AsyncIterator[dict[str, object]]:
        head = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
        yield {"type": "http.request", "body": (head.format("document", "") + "identity").encode(), "more_body": True}
        begin = "\r\n" + head.format("file", '; filename="a.pdf"')
        yield {"type": "http.request", "body": begin.encode(), "more_body": True}
        for _ in range(MAX_BYTES // len(piece) - 1):
            yield {"type": "http.request", "body": piece, "more_body": True}
        yield {"type": "http.request", "body": b"\r\n--b--\r\n", "more_body": False}

    async def take() -> tuple[FileForm, int]:
        messages = body()
        headers = [(b"content-type", b"multipart/form-data; boundary=b")]
        form = FileForm(Request({"type": "http", "method": "POST", "headers": headers}, lambda: anext(messages)))
        await form.begin()
        return form, await receive(form.pieces(), store, ID, part_name(0), MAX_BYTES, is_resumable=False)

    tracemalloc.start()
    try:
        form, length = asyncio.run(take())
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES / 8
    finally:
        tracemalloc.stop()
    assert (form.fields, form.file_name) == ({"document": "identity"}, "a.pdf")
    assert length == MAX_BYTES - len(piece)


class ListeningScanner:
    heard = 0

    async def scan(self, chunks: AsyncIterator[bytes]) -> str | None:
        async for chunk in chunks:
            self.heard += len(chunk)
        return None


def test_parts_are_read_as_one_file(store: FileStore) -> None:
    parts = put(store, b"one", b"two", b"three")
    with store.open(ID, parts) as reader:
        assert reader.read() == b"onetwothree"
        assert (reader.seek(4), reader.read(4)) == (4, b"woth")
        assert (reader.seek(-2, 2), reader.read()) == (9, b"ee")
    store.remove(ID)
    store.remove(ID)
    with pytest.raises(OSError), store.open(ID, parts) as reader:  # noqa: PT011 - of whatever file system
        reader.read()


@pytest.mark.parametrize("name", ["../x", "a/b", "000000000000-0123456789abcdef/..", ""])
def test_no_name_leads_out_of_the_store(store: FileStore, name: str) -> None:
    with pytest.raises(ValueError, match="no name of ours"):
        store.create(ID, name)
    with pytest.raises(ValueError, match="no name of ours"):
        store.remove(name)


def test_more_than_was_said_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="too-large"):
        asyncio.run(receive(pieces(b"12345", b"67890"), store, ID, part_name(0), 9))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_half_a_file_of_a_form_is_none(store: FileStore, tmp_path: Path) -> None:
    """A picture that is cut off would pass for one; only an upload that is resumed keeps what has come."""

    async def breaking() -> AsyncIterator[bytes]:
        yield files.picture("JPEG")
        raise ClientDisconnect

    assert asyncio.run(receive(breaking(), store, ID, part_name(0), MAX_BYTES)) > 0
    store.remove(ID)
    with pytest.raises(HTTPException) as refused:
        asyncio.run(receive(breaking(), store, ID, part_name(0), MAX_BYTES, is_resumable=False))
    assert refused.value.status_code == 408
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_store_that_is_away_is_said_and_not_a_fault_of_ours(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "create", full)
    with pytest.raises(ServiceUnavailable):
        asyncio.run(receive(pieces(PDF), store, ID, part_name(0), MAX_BYTES))


def scanned(*given: bytes) -> str | None:
    async def scan() -> str | None:
        server = await virus_scanner.serve("127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()
            return await Clamd(f"{host}:{port}").scan(pieces(*given))

    return asyncio.run(scan())


def test_the_scanner_is_asked_as_its_manual_says() -> None:
    eicar = virus_scanner.EICAR
    assert scanned(PDF) is None
    assert scanned() is None
    assert scanned(PDF, eicar) == "Eicar-Test-Signature"
    assert scanned(PDF + eicar[:30], eicar[30:]) == "Eicar-Test-Signature"


def test_a_scanner_that_cannot_say_is_no_clean_file() -> None:
    with pytest.raises(ScannerAway, match="size limit exceeded"):
        scanned(*([bytes(MEGABYTE)] * 26))
    for scanner in (Clamd("127.0.0.1:1"), Clamd("/nowhere/clamd.sock"), Nobody()):
        with pytest.raises(ScannerAway):
            asyncio.run(scanner.scan(pieces(PDF)))


def test_what_was_left_over_is_checked_and_what_nobody_wants_removed(store: FileStore, tmp_path: Path) -> None:
    parts = put(store, PDF)
    waiting = {"id": ID, "parts": [list(part) for part in parts], "extension": "pdf", "types": ["pdf"]}
    gone = str(uuid.uuid4())
    rpc = FakeRpc(
        {
            "cases.take_unchecked": [waiting],
            "cases.save_checked": None,
            "cases.take_unwanted": [gone],
            "cases.forget_attachments": None,
        }
    )
    asyncio.run(Checker(rpc, store, ListeningScanner()).work())  # type: ignore[arg-type]
    ((told, outcome),) = rpc.of("cases.save_checked")
    assert (told, outcome["media_type"]) == (ID, "application/pdf")
    assert rpc.of("cases.forget_attachments") == [([gone],)]
    assert {actor.role for name, _, actor in rpc.calls if actor} == {"system"}
    rpc.calls.clear()
    asyncio.run(Checker(rpc, store, Nobody()).work())  # type: ignore[arg-type]
    assert not rpc.of("cases.save_checked")
