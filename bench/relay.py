"""Relay throughput over a raw publisher: pika SelectConnection, 500 confirms in flight, same quorum queue and body.

And with a million published events in the history over none.
"""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pika
import psycopg2
from psycopg2.extras import execute_values

from bench.logged import logged
from chassis import history
from chassis.relay.publisher import connection_parameters
from contracts import topology
from contracts.envelope import CONTENT_TYPE, Envelope
from contracts.events import SignedIn
from deploy.local import database
from deploy.local.platform import Platform
from tests.processes import wait_until

EVENTS = 20_000
ROUNDS = 3
IN_FLIGHT = 500
HISTORY = 1_000_000
MONTHS = 12
SOURCE = "identity"
"""Heard by one service, which is not running: so every event goes into one quorum queue and stays there."""

QUEUE = topology.service_queues(SOURCE)[0]


def measure(platform: Platform) -> tuple[float, float, float]:
    """Events a second: the raw publisher's, the relay's, and the relay's behind a long history. Medians of rounds."""
    uri = platform.environment["AMQP_URI"]
    url = platform.environment["ONEHALL_IDENTITY_DATABASE_URL"]
    body = _body()
    raw, relayed = [], []
    with closing(pika.BlockingConnection(pika.URLParameters(uri))) as connection:
        with logged(platform, ["chassis.relay", SOURCE]):
            wait_until("the queue is live", lambda: _is_live(url))
            for _ in range(ROUNDS):
                raw.append(_rate(connection, RawPublisher(uri, body.encode()).run))
                relayed.append(_rate(connection, lambda: _relay(url, body)))
        _make_history(url)
        _write_out(platform)
        with logged(platform, ["chassis.relay", SOURCE]):
            burdened = [_rate(connection, lambda: _relay(url, body)) for _ in range(ROUNDS)]
        _purge(connection)
    return statistics.median(raw), statistics.median(relayed), statistics.median(burdened)


def _body() -> str:
    """Of 1 KB."""
    event = SignedIn("bench")
    return Envelope(str(uuid.uuid4()), 1, datetime.now(UTC), "web", "citizen", event, correlationid="x" * 720).to_json()


def _rate(connection: Any, publish: Callable[[], float]) -> float:
    """Events a second into an empty queue."""
    _purge(connection)
    return EVENTS / publish()


def _purge(connection: Any) -> None:
    channel = connection.channel()
    channel.queue_purge(QUEUE.name)
    channel.close()


def _is_live(url: str) -> bool:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM replays WHERE queue = %s AND finished_at IS NOT NULL", (QUEUE.name,))
        return bool(cursor.fetchone()[0])


def _relay(url: str, body: str) -> float:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        rows = [(str(uuid.uuid4()), uuid.uuid4().hex, 1, _ROUTING_KEY, body) for _ in range(EVENTS)]
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


def _make_history(url: str) -> None:
    """Published events of the last months, swept and analysed so that the server does not do it meanwhile."""
    this_month = datetime.now(UTC).date().replace(day=1)
    first = history.after(this_month, -MONTHS)
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        for month in history.months(first, history.after(this_month, -1)):
            for statement in history.make_partition(month):
                cursor.execute(statement)
        cursor.execute(history.LAST_POSITION)
        (last,) = cursor.fetchone()
        begin, end = f"{first} 00:00+00", f"{this_month} 00:00+00"
        cursor.execute(_HISTORY, (_ROUTING_KEY, begin, end, begin, HISTORY + 1, last, HISTORY))
        cursor.execute("VACUUM ANALYZE outbox")


def _write_out(platform: Platform) -> None:
    """To disk, what the server would write there in the next minutes: a million rows come slower in real life."""
    with closing(database.connect(platform.ports["database"], platform.secret["database"])) as connection:
        connection.autocommit = True
        connection.cursor().execute("CHECKPOINT")


_HISTORY = """
INSERT INTO outbox (event_id, subject, sequence, routing_key, body, created_at, position)
SELECT gen_random_uuid(), 'history-' || number, 1, %s, '{}',
    %s::timestamptz + number * (%s::timestamptz - %s::timestamptz) / %s, %s + number
FROM generate_series(1, %s) AS number
"""


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
        """Seconds from the first publishing to the last confirm."""
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


_ROUTING_KEY = SignedIn("bench").routing_key
