"""Relay throughput over a raw publisher: pika SelectConnection, 500 confirms in flight, same quorum queue and body."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pika
import psycopg2
from psycopg2.extras import execute_values

from chassis.relay.publisher import connection_parameters
from contracts import topology
from contracts.envelope import CONTENT_TYPE, Envelope
from contracts.events import RatingInvited
from deploy.local.platform import Platform
from tests.processes import running, wait_until

EVENTS = 20_000
ROUNDS = 3
IN_FLIGHT = 500
SOURCE = "rating"
QUEUE = "bench.relay"


def measure(platform: Platform) -> tuple[float, float]:
    """Events a second: the relay's and the raw publisher's, medians of alternating rounds."""
    uri = platform.environment["AMQP_URI"]
    url = platform.environment["ONEHALL_RATING_DATABASE_URL"]
    envelope = Envelope(str(uuid.uuid4()), 1, datetime.now(UTC), "web", "citizen", _event(), correlationid="x" * 580)
    body = envelope.to_json()
    relayed, raw = [], []
    with running(["chassis.relay", SOURCE], platform.environment), _only_queue(uri) as channel:
        for _ in range(ROUNDS):
            raw.append(EVENTS / RawPublisher(uri, body.encode()).run())
            channel.queue_purge(QUEUE)
            relayed.append(EVENTS / _relay(url, body))
            channel.queue_purge(QUEUE)
    return statistics.median(relayed), statistics.median(raw)


def _event() -> RatingInvited:
    return RatingInvited("bench", "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")


@contextmanager
def _only_queue(uri: str) -> Iterator[Any]:
    """The exchange with one quorum queue, once the relay has declared its own and they are unbound."""
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    channel = connection.channel()
    exchange = topology.exchange(SOURCE)
    wait_until("the relay leads", lambda: _is_declared(connection, topology.service_queues(SOURCE)[-1].name))
    for queue in topology.service_queues(SOURCE):
        for pattern in queue.patterns:
            channel.queue_unbind(queue.name, exchange, pattern)
    channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(QUEUE, exchange, "#")
    yield channel
    channel.queue_delete(QUEUE)
    connection.close()


def _is_declared(connection: Any, queue: str) -> bool:
    channel = connection.channel()
    try:
        channel.queue_declare(queue, passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        return False
    channel.close()
    return True


def _relay(url: str, body: str) -> float:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        rows = [(str(uuid.uuid4()), uuid.uuid4().hex, 1, _event().routing_key, body) for _ in range(EVENTS)]
        execute_values(
            cursor,
            "INSERT INTO outbox (event_id, subject, sequence, routing_key, body) VALUES %s",
            rows,
            page_size=1000,
        )
        connection.commit()
        started = time.perf_counter()
        connection.autocommit = True
        wait_until("all is relayed", lambda: not _unsent(cursor), 120)
    return time.perf_counter() - started


def _unsent(cursor: Any) -> bool:
    cursor.execute("SELECT EXISTS (SELECT FROM outbox WHERE position IS NULL)")
    return bool(cursor.fetchone()[0])


class RawPublisher:
    """As fast as pika goes: no database, one fixed body."""

    def __init__(self, uri: str, body: bytes) -> None:
        self._body = body
        self._sent = self._confirmed = 0
        self._connection = pika.SelectConnection(
            connection_parameters(uri),
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._open),
        )

    def run(self) -> float:
        self._connection.ioloop.start()
        return self._seconds

    def _open(self, channel: Any) -> None:
        self._channel = channel
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._begin())

    def _begin(self) -> None:
        self._started = time.perf_counter()
        self._fill()

    def _fill(self) -> None:
        while self._sent - self._confirmed < IN_FLIGHT and self._sent < EVENTS:
            self._channel.basic_publish(
                topology.exchange(SOURCE),
                _ROUTING_KEY,
                self._body,
                pika.BasicProperties(content_type=CONTENT_TYPE, delivery_mode=2),
                mandatory=True,
            )
            self._sent += 1

    def _on_confirm(self, frame: Any) -> None:
        tag = frame.method.delivery_tag
        # single confirms may arrive in any order; counting them is enough here
        self._confirmed = max(self._confirmed, tag) if frame.method.multiple else self._confirmed + 1
        if self._confirmed >= EVENTS:
            self._seconds = time.perf_counter() - self._started
            self._connection.close()
            self._connection.ioloop.stop()
        self._fill()


_ROUTING_KEY = _event().routing_key
