"""Sends what is due to addresses outside, until it is stopped: rows are taken, sent and settled.

What is sent was a row first. It is taken in one transaction, sent outside of any, and what came of it is written in
another; so any number of these may run, and each row is taken by one of them. Requests run side by side on asyncio's
loop; the database runs in one thread of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Generic, TypeVar

from chassis.database import Database, Session
from chassis.webhooks.waiting import wait_at_most
from contracts.errors import ServiceUnavailable

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How late a new row may be seen."""

MEASURE_SECONDS = 10.0

Clock = Callable[[], datetime]
MessageT = TypeVar("MessageT")
ResultT = TypeVar("ResultT")


class Sending(ABC, Generic[MessageT, ResultT]):
    """`most` requests are under way at once. `now` is the clock of what is due."""

    def __init__(self, database: Database, most: int, now: Clock = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._most = most
        self._now = now
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._finished: list[tuple[MessageT, ResultT]] = []
        self._woken = asyncio.Event()
        self._stopping = False
        self._measured = -MEASURE_SECONDS
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self.turned = time.monotonic()
        """When it last began to look for something to do."""

    @abstractmethod
    def owner_of(self, message: MessageT) -> str:
        """Whose address it goes to, for `busy`."""

    @abstractmethod
    async def send(self, message: MessageT) -> ResultT:
        """Once, outside of any transaction. Never raise for what the other side does."""

    @abstractmethod
    def take_due(self, session: Session, busy: Mapping[str, int], most: int, now: datetime) -> list[MessageT]:
        """Rows that are to be sent now; whoever dies with one leaves it to the next. `busy`: under way, by owner."""

    @abstractmethod
    def settle(
        self, session: Session, finished: Sequence[tuple[MessageT, ResultT]], now: datetime
    ) -> Callable[[], None]:
        """Write what came of them. What is returned is called once that is committed."""

    @abstractmethod
    def measure(self, session: Session, now: datetime) -> None:
        """Set what is shown of what waits."""

    async def run(self) -> None:
        """Until `stop`. While the database is away it waits, and what came of attempts is kept."""
        while not self._stopping:
            await self._turn_or_wait(self._most)
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
        await self._turn(self._most)
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
        busy = Counter(self._under_way.values())
        places = max(0, most - len(self._under_way))
        loop = asyncio.get_running_loop()
        committed, due = await loop.run_in_executor(self._thread, self._work, finished, busy, places)
        # kept until it is written: were the database away, nothing would be known of them
        del self._finished[: len(finished)]
        committed()
        for message in due:
            task = asyncio.create_task(self._send(message))
            self._under_way[task] = self.owner_of(message)
            task.add_done_callback(self._under_way.pop)

    def _work(
        self, finished: list[tuple[MessageT, ResultT]], busy: Counter[str], places: int
    ) -> tuple[Callable[[], None], list[MessageT]]:
        now = self._now()
        with self._database.transaction() as session:
            committed = self.settle(session, finished, now)
            if time.monotonic() - self._measured >= MEASURE_SECONDS:
                self.measure(session, now)
                self._measured = time.monotonic()
            due = self.take_due(session, busy, places, now) if places else []
        return committed, due

    async def _send(self, message: MessageT) -> None:
        result = await self.send(message)
        self._finished.append((message, result))
        self._woken.set()
