"""From commit to departments' subscribers, at 50 filings a second."""

from __future__ import annotations

import asyncio
import statistics
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import httpx2
import pika

from bench.filings import filing, prepare
from bench.http_load import send_at
from cli.demo import SECRET
from contracts.envelope import Envelope
from contracts.topology import subscription_queue
from departments import ClientCredentials, Subscriber
from deploy.local.platform import Platform
from tests.people import department
from tests.processes import wait_until

RATE = 50
FILINGS = 1_000
DEPARTMENT = "civil-affairs"


SUBSCRIPTIONS = "/api/v1/subscriptions"


def measure(platform: Platform, subscribers: int = 1) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds, from the event's `time` to the handler of each subscriber."""
    token, form = prepare(platform)
    milliseconds: list[float] = []
    started = datetime.max.replace(tzinfo=UTC)

    def note(envelope: Envelope) -> None:
        if envelope.time > started and envelope.type == "case.submitted":
            milliseconds.append((datetime.now(UTC) - envelope.time).total_seconds() * 1000)

    with _subscribed(platform, subscribers) as queues, _reading(platform, queues, note):
        wait_until("what was there before is read", lambda: all(_is_caught_up(platform, name) for name in queues), 60)
        started = datetime.now(UTC)
        gateway = int(platform.environment["ONEHALL_PORT"])
        asyncio.run(send_at(gateway, lambda _: filing(token, form), rate=RATE, count=FILINGS, expect=201))
        wait_until("every event has arrived", lambda: len(milliseconds) >= FILINGS * subscribers, 60)
    return statistics.median(milliseconds), statistics.quantiles(milliseconds, n=100)[98]


@contextmanager
def _subscribed(platform: Platform, count: int) -> Iterator[list[str]]:
    """The queues of so many subscriptions of one department: the one that it has, and others made for now."""
    names = [f"bench-{uuid.uuid4().hex[:12]}" for _ in range(count - 1)]
    with department(platform, DEPARTMENT) as program:
        for name in names:
            program.post(SUBSCRIPTIONS, json={"name": name, "start": "now"}).raise_for_status()
        for name in names:
            wait_until("it hears what is new", lambda path=f"{SUBSCRIPTIONS}/{name}": _is_active(program, path))
        yield [subscription_queue(DEPARTMENT, name).name for name in ("cases", *names)]
        for name in names:
            program.delete(f"{SUBSCRIPTIONS}/{name}").raise_for_status()


def _is_active(program: httpx2.Client, path: str) -> bool:
    return bool(program.get(path).raise_for_status().json()["status"] == "active")


@contextmanager
def _reading(platform: Platform, queues: list[str], handler: Callable[[Envelope], None]) -> Iterator[None]:
    """The department's programs, one a queue."""
    broker = platform.environment["AMQP_URI"].rpartition("@")[2]
    client = ClientCredentials(platform.environment["ONEHALL_BASE_URL"], f"dept-{DEPARTMENT}", SECRET)
    programs = [Subscriber(f"amqp://{broker}", name, credentials=client) for name in queues]
    threads = [threading.Thread(target=program.run, args=(handler,), daemon=True) for program in programs]
    for thread in threads:
        thread.start()
    yield
    for program, thread in zip(programs, threads, strict=True):
        program.stop()
        thread.join()


def _is_caught_up(platform: Platform, name: str) -> bool:
    with closing(pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))) as connection:
        queue = connection.channel().queue_declare(name, passive=True).method
        return bool(queue.consumer_count == 1 and queue.message_count == 0)
