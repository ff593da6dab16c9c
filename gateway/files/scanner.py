"""Asking a virus scanner. `Clamd` speaks ClamAV's own protocol; another one needs `scan` and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

CONNECT_SECONDS = 5
SCAN_SECONDS = 60
_MOST_ANSWER = 4_096


class ScannerAway(Exception):
    """It does not answer, or cannot say. The file stays unread and is tried again."""


class Scanner(Protocol):
    async def scan(self, chunks: AsyncIterator[bytes]) -> str | None:
        """The name of what was found; None if it is clean. Raise `ScannerAway`."""
        ...


class Nobody:
    """Where no scanner is set up: nothing ever becomes readable."""

    async def scan(self, chunks: AsyncIterator[bytes]) -> str | None:
        raise ScannerAway("no scanner is set up")


class Clamd:
    """clamd's INSTREAM (clamd(8)): each chunk behind its length, four bytes, network order; a zero ends the stream."""

    def __init__(self, address: str) -> None:
        """`host:port`, or the path of a socket."""
        self._address = address

    async def scan(self, chunks: AsyncIterator[bytes]) -> str | None:
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                answer = await self._ask(chunks)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ScannerAway(str(error)) from error
        return _verdict(answer)

    async def _ask(self, chunks: AsyncIterator[bytes]) -> str:
        reader, writer = await self._connect()
        try:
            try:
                writer.write(b"zINSTREAM\0")
                async for chunk in chunks:
                    writer.write(len(chunk).to_bytes(4) + chunk)
                    await writer.drain()
                writer.write(bytes(4))
                await writer.drain()
            except ConnectionError:
                # beyond its limit it says so and hangs up, while we still write: what it said is worth reading
                pass
            return (await reader.readuntil(b"\0")).rstrip(b"\0").decode("utf-8", "replace")
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(CONNECT_SECONDS):
            if self._address.startswith("/"):
                return await asyncio.open_unix_connection(self._address, limit=_MOST_ANSWER)
            host, _, port = self._address.rpartition(":")
            return await asyncio.open_connection(host.strip("[]"), int(port), limit=_MOST_ANSWER)


def _verdict(answer: str) -> str | None:
    if answer.endswith(" OK"):
        return None
    if answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerAway(answer)
