"""What the API and the pages do with files, as `app.state.files`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from contracts.actors import Actor
from contracts.errors import InvalidInput, ServiceError
from contracts.files import MAX_BYTES
from gateway.files.checking import Checker
from gateway.files.multipart import FileForm
from gateway.files.receiving import part_name, receive
from gateway.files.refusal import FileRefused
from gateway.files.store import FileStore, in_thread, store_answers
from gateway.rpc.client import Rpc

_OVERHEAD = 4_096
"""What a form has besides its file."""


class Files:
    def __init__(self, rpc: Rpc, store: FileStore, checker: Checker) -> None:
        self._rpc = rpc
        self.store = store
        self.checker = checker

    async def take_form(
        self, request: Request, form: FileForm, actor: Actor, target: dict[str, str], document: str
    ) -> dict[str, Any]:
        """The file of a form, received and checked. Raise `InvalidInput` at `/file` for one that is refused.

        Two calls of `cases`: one that makes room, and one that writes down what came and what it is.
        """
        room = _announced(request)
        begun = await self._rpc.call("cases.begin_attachment", target, document, form.file_name, room, actor=actor)
        part = part_name(0)
        try:
            length = await receive(
                form.pieces(), self.store, begun["id"], part, min(room, most_of(begun)), is_resumable=False
            )
            outcome = await self.checker.check(begun | {"parts": [[part, length]] if length else []})
            _require_good(outcome)
        except BaseException as error:
            with suppress(ServiceError):
                await asyncio.shield(self._rpc.call("cases.delete_attachment", begun["id"], actor=actor))
            if isinstance(error, FileRefused):
                raise refusal(error) from error
            raise
        received = (begun["id"], 0, part, length, True, outcome)
        saved: dict[str, Any] = await self._rpc.call("cases.receive_part", *received, actor=actor)
        return public(saved)

    async def give_out(self, file: dict[str, Any]) -> Response:
        """As a stream, to be saved and not shown: what a stranger has made never runs as a page of ours."""
        chunks = self.store.chunks(file["id"], [(name, length) for name, length in file["parts"]])
        # the first piece before the headers: a store that is away is an error then, and no broken download
        with store_answers():
            first = await in_thread(next, chunks, b"")

        async def body() -> Any:
            piece = first
            while piece:
                yield piece
                piece = await in_thread(next, chunks, b"")

        return StreamingResponse(body(), headers=_headers(file))


def most_of(file: dict[str, Any]) -> int:
    """How many bytes its document takes; a service of the release before does not say."""
    return min(int(file.get("most_bytes", MAX_BYTES)), MAX_BYTES)


def _require_good(outcome: dict[str, Any] | None) -> None:
    if outcome is not None and "fault" in outcome:
        raise FileRefused(outcome["fault"])


def public(file: dict[str, Any]) -> dict[str, Any]:
    """Without what only the gateway has to know."""
    return {name: value for name, value in file.items() if name not in ("parts", "extension", "types", "most_bytes")}


def refusal(error: FileRefused) -> InvalidInput:
    return InvalidInput([{"pointer": "/file", "rule": "file", "value": error.fault}])


def _announced(request: Request) -> int:
    """How long the file is at most, by the form's own length; the longest there may be if that is not said."""
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isascii() and length.isdecimal() and len(length) < 15 else MAX_BYTES
    return max(1, min(announced, MAX_BYTES + (announced > MAX_BYTES + _OVERHEAD)))


def _headers(file: dict[str, Any]) -> dict[str, str]:
    name = file["name"]
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in name)
    return {
        # RFC 6266, section 4.3, with RFC 8187's own way of other letters
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Type": file["media_type"],
        "Content-Length": str(file["length"]),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "ETag": f'"{file["sha256"]}"',
    }
