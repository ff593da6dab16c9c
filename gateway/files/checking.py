"""Every file is looked at and scanned before anybody may read it: at once, or, if that was cut off, some seconds later.

The same loop removes what nobody wants any more. Rows of `cases` say what is to be done, one process at a time each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from contracts.actors import SYSTEM
from contracts.errors import ServiceError
from gateway import metrics
from gateway.files import inspection
from gateway.files.refusal import FileRefused
from gateway.files.scanner import Scanner, ScannerAway
from gateway.files.store import STORE_AWAY, FileStore, in_thread
from gateway.rpc.client import Rpc

log = logging.getLogger(__name__)

EVERY_SECONDS = 20
AT_ONCE = 2
"""Checks in one process: each is a file read through twice."""


class Checker:
    def __init__(self, rpc: Rpc, store: FileStore, scanner: Scanner) -> None:
        self._rpc = rpc
        self._store = store
        self._scanner = scanner
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()

    async def check(self, file: dict[str, Any]) -> dict[str, Any] | None:
        """What is found, as `cases` takes it; None while it cannot be said. `file` has id, parts, extension, types."""
        parts = [(name, length) for name, length in file["parts"]]
        async with self._slots:
            try:
                found = await in_thread(self._inspect, file["id"], parts, file["extension"], file["types"])
                virus = await self._scanner.scan(self._chunks(file["id"], parts))
            except FileRefused as error:
                metrics.files_checked.labels(error.fault).inc()
                return {"fault": error.fault}
            except (ScannerAway, *STORE_AWAY) as error:
                metrics.files_checked.labels("unknown").inc()
                log.warning("a file could not be checked and is tried again: %s", type(error).__name__)
                return None
        metrics.files_checked.labels("virus" if virus else "clean").inc()
        if virus:
            log.warning("a file was refused by the virus scanner")
        return {"fault": "virus"} if virus else found

    def _inspect(self, file_id: str, parts: list[tuple[str, int]], extension: str, types: list[str]) -> dict[str, Any]:
        with self._store.open(file_id, parts) as reader:
            return inspection.inspect(reader, extension, types)

    async def _chunks(self, file_id: str, parts: list[tuple[str, int]]) -> AsyncIterator[bytes]:
        chunks = self._store.chunks(file_id, parts)
        while chunk := await in_thread(next, chunks, b""):
            yield chunk

    def check_soon(self, file: dict[str, Any]) -> None:
        """Without holding up the answer to whoever sent the last byte."""
        task = asyncio.create_task(self._check_and_tell(file))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def keep_working(self) -> None:
        """Until it is cancelled."""
        while True:
            with suppress(ServiceError):
                await self.work()
            await asyncio.sleep(EVERY_SECONDS)

    async def work(self) -> None:
        """What is left over: files whose check was cut off, and bytes that are to be removed."""
        for file in await self._rpc.call("cases.take_unchecked", actor=SYSTEM):
            await self._check_and_tell(file)
        gone = []
        for file_id in await self._rpc.call("cases.take_unwanted", actor=SYSTEM):
            try:
                await in_thread(self._store.remove, file_id)
            except STORE_AWAY as error:
                log.warning("a file could not be removed and is tried again: %s", type(error).__name__)
            else:
                gone.append(file_id)
        if gone:
            await self._rpc.call("cases.forget_attachments", gone, actor=SYSTEM)

    async def _check_and_tell(self, file: dict[str, Any]) -> None:
        outcome = await self.check(file)
        if outcome is not None:
            with suppress(ServiceError):
                await self._rpc.call("cases.save_checked", file["id"], outcome, actor=SYSTEM)
