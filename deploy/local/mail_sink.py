"""The local mail server: takes every mail over real SMTP and keeps it as a file of a Maildir; nothing leaves here."""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from mailbox import Maildir
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class MaildirHandler:
    """Keeps each mail byte for byte. aiosmtpd's own handler parses and syncs each, at more than the sender's cost."""

    def __init__(self, folder: Path) -> None:
        Maildir(folder, create=True)
        self._folder = folder
        self._numbers = count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        name = f"{asyncio.get_running_loop().time():.6f}.{next(self._numbers)}.localhost"
        written = self._folder / "tmp" / name
        written.write_bytes(envelope.original_content or b"")
        written.rename(self._folder / "new" / name)
        return "250 OK"


async def serve(host: str, port: int, folder: Path) -> None:
    handler = MaildirHandler(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, hostname="localhost"), host, port
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
