"""What the server keeps of a request that nobody reads yet."""

from __future__ import annotations

import asyncio
from itertools import chain, repeat
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.security import MAX_HEADERS
from gateway.server import MAX_BESIDE_BODY, BoundedProtocol

BEGUN = b"POST / HTTP/1.1\r\nHost: hall.example\r\n"
CHUNKED = BEGUN + b"Transfer-Encoding: chunked\r\n\r\n"
SECONDS = 3
PIECE = b"x" * 8_000


async def count_body(_: Any, receive: Any, send: Any) -> None:
    size, has_more = 0, True
    while has_more:
        message = await receive()
        size += len(message.get("body", b""))
        has_more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def ask(*pieces: bytes) -> bytes:
    """What the server says before it closes, or to a client that has said all."""
    return asyncio.run(_ask(pieces))


async def _ask(pieces: tuple[bytes, ...]) -> bytes:
    loop = asyncio.get_running_loop()
    config, state = Config(count_body, log_config=None), ServerState()
    config.load()
    server = await loop.create_server(lambda: BoundedProtocol(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(SECONDS):
            return await reader.read(16_384)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        server.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [BEGUN, b"Cookie: ", *repeat(PIECE, 40)],
        [BEGUN, *repeat(b"X-Filler: " + b"x" * 100 + b"\r\n", 3_000)],
        [b"GET /", *repeat(PIECE, 40)],
        [CHUNKED, b"0\r\nX-Trailer: ", *repeat(PIECE, 40)],
        [CHUNKED, *chain.from_iterable(repeat((b"1;" + PIECE + b"\r\n", b"x\r\n"), 40))],
    ],
    ids=["a header", "headers", "a request line", "a trailer", "chunk extensions"],
)
def test_what_is_no_body_has_an_end(pieces: list[bytes]) -> None:
    # a client that goes on sending may see the connection reset before it reads why
    assert ask(*pieces)[:12] in (b"HTTP/1.1 431", b"")


def test_a_body_is_not_counted() -> None:
    piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
    answer = ask(CHUNKED, *repeat(piece, 100), b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"800000" in answer


def test_headers_that_are_refused_in_words_get_that_far() -> None:
    assert MAX_HEADERS < MAX_BESIDE_BODY
    answer = ask(BEGUN, b"Cookie: ", b"x" * (MAX_HEADERS + 1_000), b"\r\nContent-Length: 0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
