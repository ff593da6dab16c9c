"""From commit to a department's subscriber, at 50 filings a second."""

from __future__ import annotations

import asyncio
import statistics
import threading
from contextlib import closing
from datetime import UTC, datetime

import pika

from bench.filings import filing, prepare
from bench.http_load import send_at
from cli.demo import SECRET
from contracts.envelope import Envelope
from contracts.topology import subscription_queue
from departments import ClientCredentials, Subscriber
from deploy.local.platform import Platform
from tests.processes import wait_until

RATE = 50
FILINGS = 1_000
DEPARTMENT = "civil-affairs"


def measure(platform: Platform) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds, from the event's `time` to the department's handler."""
    token, form = prepare(platform)
    milliseconds: list[float] = []
    started = datetime.max.replace(tzinfo=UTC)

    def note(envelope: Envelope) -> None:
        if envelope.time > started and envelope.type == "case.submitted":
            milliseconds.append((datetime.now(UTC) - envelope.time).total_seconds() * 1000)

    broker = platform.environment["AMQP_URI"].rpartition("@")[2]
    client = ClientCredentials(platform.environment["ONEHALL_BASE_URL"], f"dept-{DEPARTMENT}", SECRET)
    subscriber = Subscriber(f"amqp://{broker}", subscription_queue(DEPARTMENT, "cases").name, credentials=client)
    thread = threading.Thread(target=subscriber.run, args=(note,), daemon=True)
    thread.start()
    wait_until("the department has read what was there before", lambda: _is_caught_up(platform), 60)
    started = datetime.now(UTC)
    gateway = int(platform.environment["ONEHALL_PORT"])
    asyncio.run(send_at(gateway, lambda _: filing(token, form), rate=RATE, count=FILINGS, expect=201))
    wait_until("every event has arrived", lambda: len(milliseconds) >= FILINGS, 60)
    subscriber.stop()
    thread.join()
    return statistics.median(milliseconds), statistics.quantiles(milliseconds, n=100)[98]


def _is_caught_up(platform: Platform) -> bool:
    with closing(pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))) as connection:
        queue = connection.channel().queue_declare(subscription_queue(DEPARTMENT, "cases").name, passive=True).method
        return bool(queue.consumer_count == 1 and queue.message_count == 0)
