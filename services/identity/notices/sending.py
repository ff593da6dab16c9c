"""Sends what is due until it is stopped. Any number of these may run: each notice is taken by one of them.

Requests run side by side on asyncio's loop; the database runs in one thread of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Protocol

from chassis import failpoints
from chassis.database import Database
from chassis.webhooks.rules import Result
from chassis.webhooks.sender import Message
from chassis.webhooks.waiting import wait_at_most
from contracts.errors import ServiceUnavailable
from services.identity.notices import commands
from services.identity.notices.commands import Attempt, LoadIssuer, LogoutMessage

log = logging.getLogger(__name__)

MOST_UNDER_WAY = 64

POLL_SECONDS = 1.0
"""How late a new notice may be seen."""

MEASURE_SECONDS = 10.0

Clock = Callable[[], datetime]


class Sends(Protocol):
    async def send(self, message: Message) -> Result: ...


class NoticeSender:
    """`load_issuer` signs in one transaction. `now` is the clock of what is due."""

    def __init__(
        self,
        database: Database,
        load_issuer: LoadIssuer,
        sender: Sends,
        now: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._load_issuer = load_issuer
        self._sender = sender
        self._now = now
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._finished: list[Attempt] = []
        self._woken = asyncio.Event()
        self._stopping = False
        self._measured = -MEASURE_SECONDS
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self.turned = time.monotonic()
        """When it last began to look for something to do."""

    async def run(self) -> None:
        """Until `stop`. While the database is away it waits, and what came of attempts is kept."""
        while not self._stopping:
            await self._turn_or_wait(MOST_UNDER_WAY)
            await wait_at_most(self._woken, POLL_SECONDS)
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._turn_or_wait(most=0)
        self._thread.shutdown()

    def stop(self) -> None:
        """Begin nothing more; `run` returns when what is under way has ended and is written."""
        self._stopping = True
        self._woken.set()

    async def send_due(self) -> int:
        """What is due now, and wait for all of it; how many these were."""
        await self._turn(MOST_UNDER_WAY)
        sent = len(self._under_way)
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._turn(most=0)
        return sent

    async def _turn_or_wait(self, most: int) -> None:
        self.turned = time.monotonic()
        self._woken.clear()
        try:
            await self._turn(most)
        except ServiceUnavailable as error:
            log.warning("the database is away (%s); trying again", error)

    async def _turn(self, most: int) -> None:
        """Write what came of attempts, and begin what is due."""
        finished = list(self._finished)
        if finished:
            failpoints.reach("notices.sent")
        busy = Counter(self._under_way.values())
        places = max(0, most - len(self._under_way))
        loop = asyncio.get_running_loop()
        words, due = await loop.run_in_executor(self._thread, self._work, finished, busy, places)
        # kept until it is written: were the database away, nothing would be known of them
        del self._finished[: len(finished)]
        commands.count(finished, words)
        for message in due:
            task = asyncio.create_task(self._send(message))
            self._under_way[task] = message.owner
            task.add_done_callback(self._under_way.pop)

    def _work(self, finished: list[Attempt], busy: Counter[str], places: int) -> tuple[list[str], list[LogoutMessage]]:
        now = self._now()
        with self._database.transaction() as session:
            words = commands.settle(session, finished, now)
            if time.monotonic() - self._measured >= MEASURE_SECONDS:
                commands.measure(session, now)
                self._measured = time.monotonic()
            due = commands.take_due(session, self._load_issuer, busy, places, now) if places else []
        return words, due

    async def _send(self, message: LogoutMessage) -> None:
        result = await self._sender.send(message)
        self._finished.append((message, result))
        self._woken.set()
