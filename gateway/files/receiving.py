"""From a request's stream into the store, a piece at a time: however large the file, little of it is in memory."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import HTTPException
from starlette.requests import ClientDisconnect

from gateway.files.refusal import FileRefused
from gateway.files.store import FileStore, in_thread, store_answers

SILENCE_SECONDS = 60
"""Without a byte; then what has come is kept, and the rest may follow in another request."""


def part_name(offset: int) -> str:
    """Of the object that begins at this byte. Random besides, since two requests may send the same byte at once."""
    return f"{offset:012d}-{secrets.token_hex(8)}"


async def receive(
    pieces: AsyncIterator[bytes],
    store: FileStore,
    file_id: str,
    part: str,
    most: int,
    digest: Any = None,
    *,
    is_resumable: bool = True,
) -> int:
    """Write at most `most` bytes into a new object; how many came.

    A client that hangs up or falls silent ends it early, which a resumable upload is made for; any other raises then.
    More than `most`: raise `FileRefused`. Where it raises, there is no object.
    """
    with store_answers():
        return await _receive(pieces, store, file_id, part, most, digest, is_resumable)


async def _receive(
    pieces: AsyncIterator[bytes], store: FileStore, file_id: str, part: str, most: int, digest: Any, is_resumable: bool
) -> int:
    target = await in_thread(store.create, file_id, part)
    length = 0
    try:
        async for piece in _until_silence(pieces, is_resumable):
            length = _counted(length + len(piece), most)
            if digest is not None:
                digest.update(piece)
            await in_thread(target.write, piece)
        await in_thread(target.close)
    except BaseException:
        await asyncio.shield(in_thread(_discard, target, store, file_id, part))
        raise
    if not length:
        await in_thread(store.remove_part, file_id, part)
    return length


def _counted(length: int, most: int) -> int:
    if length > most:
        raise FileRefused("too-large")
    return length


async def _until_silence(pieces: AsyncIterator[bytes], is_resumable: bool) -> AsyncIterator[bytes]:
    try:
        while True:
            piece = await asyncio.wait_for(anext(pieces), SILENCE_SECONDS)
            if piece:
                yield piece
    except StopAsyncIteration:
        return
    except (ClientDisconnect, TimeoutError):
        if not is_resumable:
            raise HTTPException(408) from None


def _discard(target: Any, store: FileStore, file_id: str, part: str) -> None:
    """A remote object that is closed is there, so it is given up; a local one has to be closed and removed."""
    try:
        target.discard()
        target.closed = True
    except (RuntimeError, AttributeError):
        target.close()
    finally:
        store.remove_part(file_id, part)


CHECKSUMS: dict[str, Callable[[], Any]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
"""What a client may have its bytes compared by (tus, Checksum); it is asked for sha1 at least."""


def require_length(text: str | None) -> int:
    """A number of bytes in a header. Raise 400 for anything else."""
    if text is None or not (text.isascii() and text.isdecimal()) or len(text) > 15:
        raise HTTPException(400)
    return int(text)
