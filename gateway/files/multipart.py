"""A form with one file (RFC 7578), read as it comes: what browsers send without scripts.

The framework's own reader would keep the file in memory or on the local disk first. The fields come before the file, so
that it is known where it goes when its first byte does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import HTTPException, Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

MOST_FIELDS = 20
MOST_VALUE = 2_000
MOST_HEADERS = 4_000


@dataclass
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    file_name: str | None = None
    value: bytearray = field(default_factory=bytearray)


class FileForm:
    """`fields` are those before the file; `file_name` is what the browser calls it; `pieces()` is what is in it."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise HTTPException(415)
        self.fields: dict[str, str] = {}
        self.file_name = ""
        self._stream = request.stream()
        self._parser = MultipartParser(options[b"boundary"], _callbacks(self))
        self._part = _Part()
        self._header = b""
        self._headers_read = 0
        self._ready: list[bytes] = []
        self._has_file = False
        self._is_over = False
        self._in_file = False

    async def begin(self) -> None:
        """Read as far as the file begins. Raise 400 for a form without one."""
        while not self._has_file and await self._feed():
            pass
        if not self._has_file:
            raise HTTPException(400)

    async def pieces(self) -> AsyncIterator[bytes]:
        while True:
            ready, self._ready = self._ready, []
            for piece in ready:
                yield piece
            if not self._in_file and not self._ready:
                break
            if not self._ready and not await self._feed():
                # cut off in the middle: half a file is none
                raise HTTPException(400)

    async def _feed(self) -> bool:
        async for chunk in self._stream:
            if not chunk:
                continue
            try:
                self._parser.write(chunk)
            except MultipartParseError as error:
                raise HTTPException(400) from error
            return True
        return False

    def on_part_begin(self) -> None:
        self._part = _Part()
        self._headers_read = 0

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header += data[start:end].lower()

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._part.headers[self._header] = self._part.headers.get(self._header, b"") + data[start:end]

    def on_header_end(self) -> None:
        self._header = b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options and not self._has_file:
            self._has_file = self._in_file = True
            self.file_name = self._part.file_name = options[b"filename"].decode("utf-8", "replace")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._ready.append(data[start:end])
        elif not self._has_file:
            self._part.value += data[start:end]
            if len(self._part.value) > MOST_VALUE:
                raise HTTPException(413)

    def on_part_end(self) -> None:
        if self._in_file:
            self._in_file = False
        elif not self._has_file:
            self.fields[self._part.name] = self._part.value.decode("utf-8", "replace")
            if len(self.fields) > MOST_FIELDS:
                raise HTTPException(413)

    def _count_header(self, length: int) -> None:
        self._headers_read += length
        if self._headers_read > MOST_HEADERS:
            raise HTTPException(413)


def _callbacks(form: FileForm) -> Any:
    names = (
        *("on_part_begin", "on_header_field", "on_header_value", "on_header_end", "on_headers_finished"),
        *("on_part_data", "on_part_end"),
    )
    return {name: getattr(form, name) for name in names}
