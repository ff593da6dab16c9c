"""From commit to a webhook's receipt: when nothing else happens, and at ten endpoints of which one stops answering."""

from __future__ import annotations

import asyncio
import json
import statistics
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

import httpx2
import trustme

from bench.filings import filing, prepare
from bench.http_load import send_at
from deploy.local.platform import Platform
from tests.endpoints import Answer, Endpoint, Received, listening
from tests.people import department
from tests.processes import wait_until

IDLE_RATE, IDLE_FILINGS = 4, 60
RATE, FILINGS = 10, 200
ENDPOINTS = 10
SUBSCRIPTIONS = "/api/v1/subscriptions"


def measure(platform: Platform, ca: trustme.CA) -> tuple[float, float]:
    """The median in milliseconds when idle, and nine endpoints' 95th percentile with the tenth dead over alive.

    The dead one takes requests and never answers, which costs more than one that refuses them.
    """
    token, form = prepare(platform)
    gateway = int(platform.environment["ONEHALL_PORT"])

    def file(rate: float, count: int) -> None:
        asyncio.run(send_at(gateway, lambda _: filing(token, form), rate=rate, count=count, expect=201))

    with ExitStack() as stack:
        program = stack.enter_context(department(platform, "civil-affairs"))
        first, *more, last = [Receiver(stack.enter_context(listening(ca))) for _ in range(ENDPOINTS)]
        first.subscribe(program)
        idle = statistics.median(during([first], lambda: file(IDLE_RATE, IDLE_FILINGS), IDLE_FILINGS))
        for receiver in (*more, last):
            receiver.subscribe(program)
        alive = percentile_95(during([first, *more], lambda: file(RATE, FILINGS), FILINGS))
        last.dies()
        stack.callback(last.buried.set)
        with_a_dead_one = percentile_95(during([first, *more], lambda: file(RATE, FILINGS), FILINGS))
    return idle, with_a_dead_one / alive


def during(receivers: list[Receiver], load: Callable[[], None], count: int) -> list[float]:
    """All the delays of the load's events, which each receiver waits for."""
    for receiver in receivers:
        receiver.milliseconds.clear()
    load()
    for receiver in receivers:
        wait_until("every event has arrived", lambda each=receiver: len(each.milliseconds) >= count, 120)
    return [delay for receiver in receivers for delay in receiver.milliseconds]


def percentile_95(delays: list[float]) -> float:
    return statistics.quantiles(delays, n=20)[18]


class Receiver:
    """An endpoint that notes for each event how long after its `time` it came, in milliseconds."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.milliseconds: list[float] = []
        self.buried = threading.Event()
        self._endpoint = endpoint
        endpoint.answer = self._note

    def subscribe(self, program: httpx2.Client) -> None:
        name = f"bench-{uuid.uuid4().hex[:12]}"
        filed = {"types": ["case.submitted"]}
        wanted = {"name": name, "filter": filed, "delivery": "webhook", "url": self._endpoint.url}
        program.post(SUBSCRIPTIONS, json=wanted).raise_for_status()
        wait_until("it is active", lambda: program.get(f"{SUBSCRIPTIONS}/{name}").json()["status"] == "active")

    def dies(self) -> None:
        def wait(_: Received) -> Answer:
            self.buried.wait()
            return Answer()

        self._endpoint.answer = wait

    def _note(self, received: Received) -> Answer:
        age = datetime.now(UTC) - datetime.fromisoformat(json.loads(received.body)["time"])
        self.milliseconds.append(age.total_seconds() * 1000)
        return Answer()
