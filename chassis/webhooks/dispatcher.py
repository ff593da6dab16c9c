"""One term as leader: a turn writes what arrived and what was sent, and starts what is due.

Requests run side by side on asyncio's loop. The database runs in one thread of its own, one turn at a time; what
happens meanwhile is written by the next turn, in one transaction, however much it is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from chassis import failpoints, metrics
from chassis.sealing import Seal, SealedOtherwise
from chassis.webhooks.intake import Intake, Received, acknowledge
from chassis.webhooks.rules import Result
from chassis.webhooks.sender import MOST_CONNECTIONS, UNREADABLE_SECRET, Request, Sender
from chassis.webhooks.store import Delivery, Endpoint, WebhookStore
from chassis.webhooks.waiting import wait_at_most

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_EACH = 8
"""Requests under way for one endpoint; one that fails has one."""

BATCH = 500
"""Events written in one turn."""

POLL_SECONDS = 1.0
"""How late a retry, a new subscription or a request to send again may be seen."""


class Dispatcher:
    def __init__(self, store: WebhookStore, sender: Sender, seal: Seal, amqp_uri: str) -> None:
        self._store = store
        self._sender = sender
        self._seal = seal
        self._intake = Intake(amqp_uri, self._on_received)
        self._received: deque[Received] = deque()
        self._finished: list[tuple[Delivery, Result]] = []
        self._under_way: dict[asyncio.Task[None], Delivery] = {}
        self._woken = asyncio.Event()
        self._stopping = False
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")
        self.answered = time.monotonic()
        """When the database last did what it was asked."""

    async def run(self) -> None:
        """Until `stop`, or until the database fails: then it raises, and what is under way is sent again."""
        reading = asyncio.create_task(self._intake.run())
        try:
            while not self._stopping:
                await self._turn(MOST_CONNECTIONS)
                await self._rest()
            await self._finish()
        finally:
            for task in (reading, *self._under_way):
                task.cancel()
            await asyncio.gather(reading, *self._under_way, return_exceptions=True)
            self._database.shutdown()

    def stop(self) -> None:
        """Start nothing more; `run` returns when what is under way has ended and is written."""
        self._stopping = True
        self._woken.set()

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._turn(most=0)

    def _on_received(self, received: Received) -> None:
        self._received.append(received)
        self._woken.set()

    async def _rest(self) -> None:
        """Until something happens. Otherwise the poll finds what only time has made due."""
        if not self._received:
            await wait_at_most(self._woken, POLL_SECONDS)

    async def _turn(self, most: int) -> None:
        self._woken.clear()
        received = [self._received.popleft() for _ in range(min(BATCH, len(self._received)))]
        finished, self._finished = self._finished, []
        if finished:
            failpoints.reach("webhooks.sent")
        arrived = [each.arrival for each in received]
        under_way = list(self._under_way.values())
        now = datetime.now(UTC)
        turn = await self._in_database(self._store.turn, arrived, finished, under_way, most, MOST_EACH, now)
        if received:
            failpoints.reach("webhooks.saved")
        for delivery in turn.due:
            self._start(delivery, turn.endpoints[delivery.subscription])
        await acknowledge(received)
        for outcome in turn.outcomes:
            metrics.webhook_attempts.labels(outcome).inc()
        self._intake.follow({(each.queue, each.subscription) for each in turn.endpoints.values()})

    def _start(self, delivery: Delivery, endpoint: Endpoint) -> None:
        task = asyncio.create_task(self._send(delivery, endpoint))
        self._under_way[task] = delivery
        task.add_done_callback(self._on_sent)

    def _on_sent(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]

    async def _send(self, delivery: Delivery, endpoint: Endpoint) -> None:
        if secrets := self._open(endpoint):
            request = Request(endpoint.url, secrets, delivery.event_id, delivery.replay, delivery.body, endpoint.owner)
            result = await self._sender.send(request)
        else:
            result = Result(datetime.now(UTC), 0, error=UNREADABLE_SECRET)
        self._finished.append((delivery, result))
        self._woken.set()

    def _open(self, endpoint: Endpoint) -> tuple[bytes, ...]:
        """The secrets that can be read. One that was sealed with another key is no use to anybody."""
        secrets = []
        for sealed in endpoint.secrets:
            try:
                secrets.append(self._seal.open(sealed))
            except SealedOtherwise:
                log.warning("a secret of %s was sealed with another ONEHALL_WEBHOOK_KEY", endpoint.queue)
        return tuple(secrets)

    async def _in_database(self, work: Callable[..., T], *arguments: object) -> T:
        answer = await asyncio.get_running_loop().run_in_executor(self._database, work, *arguments)
        self.answered = time.monotonic()
        return answer
