"""The local virus scanner: speaks clamd's protocol (clamd(8)) as its manual says, and knows the one virus of EICAR.

`zPING`, `zVERSION` and `zINSTREAM`, with `n` in place of `z` where a line's end stands for the zero byte. A stream
beyond the limit is answered as clamd does, and hung up on. Nothing is kept.
"""

from __future__ import annotations

import asyncio
import base64
import sys

STREAM_MAX_LENGTH = 25 * 1024 * 1024
"""clamd.conf(5), the setting's default."""

# https://www.eicar.org: harmless, and agreed to be found by every scanner; encoded, or they would find this file
EICAR = base64.b64decode("WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=")
NAME = "Eicar-Test-Signature"
_MOST_COMMAND = 1_024
_SILENCE_SECONDS = 30


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection is one command, as without IDSESSION."""
    try:
        async with asyncio.timeout(_SILENCE_SECONDS):
            first = await reader.readexactly(1)
            end = {b"z": b"\0", b"n": b"\n"}.get(first)
            if end is None:
                return
            command = (await reader.readuntil(end)).rstrip(end)
        writer.write((await _do(command, reader)).encode() + end)
        await writer.drain()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def _do(command: bytes, reader: asyncio.StreamReader) -> str:
    match command:
        case b"PING":
            return "PONG"
        case b"VERSION":
            return "ClamAV local double"
        case b"INSTREAM":
            return await _scan(reader)
    return "UNKNOWN COMMAND"


async def _scan(reader: asyncio.StreamReader) -> str:
    """Chunks with their length before them, the last one empty."""
    length, before, found = 0, b"", False
    while size := int.from_bytes(await asyncio.wait_for(reader.readexactly(4), _SILENCE_SECONDS)):
        length += size
        if length > STREAM_MAX_LENGTH:
            return "INSTREAM size limit exceeded. ERROR"
        chunk = await asyncio.wait_for(reader.readexactly(size), _SILENCE_SECONDS)
        found = found or EICAR in before + chunk
        before = (before + chunk)[-len(EICAR) :]
    return f"stream: {NAME} FOUND" if found else "stream: OK"


async def serve(host: str, port: int) -> asyncio.Server:
    return await asyncio.start_server(answer, host, port, limit=_MOST_COMMAND)


async def main() -> None:
    server = await serve(sys.argv[1], int(sys.argv[2]))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
