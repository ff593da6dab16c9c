"""HTTP load from one process that costs little itself: requests written as bytes on kept-alive connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    method: str = "GET"
    headers: tuple[str, ...] = ()
    body: bytes = b""
    content_type: str = JSON

    def to_bytes(self, host: str) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}", *self.headers]
        if self.body:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class UnexpectedAnswer(Exception):
    """Args: the status line, the body's beginning."""


async def send(port: int, make: Callable[[int], Request], *, count: int, connections: int, expect: int) -> float:
    """Send `count` requests over that many connections, as fast as they are answered; the seconds it took."""
    numbers = iter(range(count))

    async def work() -> None:
        connection = await Connection.open(port)
        for number in numbers:
            await connection.ask(make(number), expect)
        connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return time.perf_counter() - started


async def send_at(port: int, make: Callable[[int], Request], *, rate: float, count: int, expect: int) -> None:
    """Send `count` requests at an even rate whatever the answers take (an open loop)."""
    idle: list[Connection] = []
    started = time.perf_counter()

    async def ask(number: int) -> None:
        connection = idle.pop() if idle else await Connection.open(port)
        await connection.ask(make(number), expect)
        idle.append(connection)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
            group.create_task(ask(number))
    for connection in idle:
        connection.close()


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader, self._writer, self._host = reader, writer, f"127.0.0.1:{port}"

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port), port)

    async def ask(self, request: Request, expect: int) -> bytes:
        """The answer's body."""
        _, body = await self._exchange(request, expect)
        return body

    async def ask_where(self, request: Request) -> str:
        """Where the answer leads to."""
        head, _ = await self._exchange(request, 302)
        return next(line[9:].strip() for line in head.split("\r\n") if line.lower().startswith("location:"))

    async def _exchange(self, request: Request, expect: int) -> tuple[str, bytes]:
        self._writer.write(request.to_bytes(self._host))
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
        body = await self._reader.readexactly(length)
        if not head.startswith(f"HTTP/1.1 {expect} "):
            raise UnexpectedAnswer(head.split("\r\n", 1)[0], body[:300].decode())
        return head, body

    def close(self) -> None:
        self._writer.close()
