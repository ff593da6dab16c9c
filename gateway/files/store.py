"""The store of objects: a folder, or a bucket of S3, whatever `fsspec` opens. Names are ours, never a visitor's.

Everything of one file stands under its id. Objects are written once and never changed: S3 cannot append, so an upload
that is resumed is several objects. All calls block; call them in a thread (`in_thread`).
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any, TypeVar

import fsspec
from botocore.exceptions import BotoCoreError
from fsspec.implementations.local import LocalFileSystem

from contracts.errors import ServiceUnavailable

BLOCK = 5 * 1024 * 1024
"""What one open object may hold in memory; S3 takes no smaller part of an object."""
CHUNK = 256 * 1024
_THREADS = 8
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PART = re.compile(r"[0-9]{12}-[0-9a-f]{16}")

STORE_AWAY = (OSError, BotoCoreError)
"""What a store raises that is away, full, or not set up. S3's client says only what the server said as an `OSError`."""

Parts = Sequence[tuple[str, int]]
Result = TypeVar("Result")

_POOL = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")


async def in_thread(function: Callable[..., Result], *arguments: Any) -> Result:
    """So that neither a slow disk nor S3 holds up other requests; by some threads of their own, so it is bounded."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, function, *arguments)


@contextmanager
def store_answers() -> Iterator[None]:
    """Say 503 of a store that is away, or full."""
    try:
        yield
    except STORE_AWAY as error:
        raise ServiceUnavailable("files") from error


class FileStore:
    """`url` is `file:///folder` or `s3://bucket/prefix`; `options` are that file system's own."""

    def __init__(self, url: str, options: dict[str, Any] | None = None) -> None:
        self._system, root = fsspec.core.url_to_fs(url, **(options or {}))
        self._root = root.rstrip("/")
        # a bucket has no folders; to make one would be a call more, and a right more
        self._is_local = isinstance(self._system, LocalFileSystem)

    def create(self, file_id: str, part: str) -> IO[bytes]:
        """A new object. It is there once it is closed."""
        folder = self._folder(file_id)
        if self._is_local:
            self._system.makedirs(folder, exist_ok=True)
        created: IO[bytes] = self._system.open(f"{folder}/{_require(_PART, part)}", "wb", block_size=BLOCK)
        return created

    def remove_part(self, file_id: str, part: str) -> None:
        path = f"{self._folder(file_id)}/{_require(_PART, part)}"
        if self._system.exists(path):
            self._system.rm_file(path)

    def remove(self, file_id: str) -> None:
        """All that stands under the id. Nothing: that is well, too."""
        folder = self._folder(file_id)
        # other processes write, too: what was listed before may be less than there is
        self._system.invalidate_cache()
        if self._system.exists(folder):
            self._system.rm(folder, recursive=True)

    def open(self, file_id: str, parts: Parts) -> io.BufferedReader:
        """The whole file, to read from and seek in."""
        return io.BufferedReader(_Joined(self._system, self._folder(file_id), parts), CHUNK)

    def chunks(self, file_id: str, parts: Parts) -> Iterator[bytes]:
        with self.open(file_id, parts) as reader:
            while chunk := reader.read(CHUNK):
                yield chunk

    def _folder(self, file_id: str) -> str:
        return f"{self._root}/{_require(_ID, file_id)}"


class _Joined(io.RawIOBase):
    """Objects one after the other, as one file. One of them is open at a time."""

    def __init__(self, system: Any, folder: str, parts: Parts) -> None:
        self._system = system
        self._parts: list[tuple[int, int, str]] = []
        end = 0
        for name, length in parts:
            self._parts.append((end, end + length, f"{folder}/{_require(_PART, name)}"))
            end += length
        self._length = end
        self._position = 0
        self._open: tuple[str, IO[bytes]] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        for begin, end, path in self._parts:
            if begin <= self._position < end:
                reader = self._reader(path)
                reader.seek(self._position - begin)
                read = reader.read(min(len(buffer), end - self._position))
                if not read:
                    raise OSError("an object is shorter than it was written")
                buffer[: len(read)] = read
                self._position += len(read)
                return len(read)
        return 0

    def _reader(self, path: str) -> IO[bytes]:
        if self._open is None or self._open[0] != path:
            self._close_part()
            # the default cache of remote files would hold the whole object
            self._open = (path, self._system.open(path, "rb", block_size=BLOCK, cache_type="readahead"))
        return self._open[1]

    def _close_part(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def close(self) -> None:
        self._close_part()
        super().close()


def _require(pattern: re.Pattern[str], name: str) -> str:
    """The last line before the disk: no name of an object is ever somebody else's word."""
    if not pattern.fullmatch(name):
        raise ValueError("no name of ours")
    return name
