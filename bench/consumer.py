"""A service's events a second, inbox and all, over a bare consumer that commits one row: same queue, same events."""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pika
import psycopg2

from bench.logged import logged
from chassis import broker
from contracts import topology
from contracts.envelope import CONTENT_TYPE, Envelope
from contracts.events import CaseAccepted, CaseEvent, CaseSubmitted
from deploy.local.platform import Platform
from tests.processes import wait_until

CASES, STEPS = 2_500, 2
EVENTS = CASES * STEPS
ROUNDS = 3
PREFETCH = 10
"""As many as a service has workers."""

QUEUE = topology.service_queue("rating", "cases")


def measure(platform: Platform) -> tuple[float, float]:
    """Events a second: the service's and the bare consumer's, medians of alternating rounds."""
    url = platform.environment["ONEHALL_RATING_DATABASE_URL"]
    handled, bare = [], []
    with (
        closing(pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))) as connection,
        logged(platform, ["chassis.relay", "cases"]),
        closing(psycopg2.connect(url)) as database,
    ):
        database.autocommit = True
        cursor = database.cursor()
        cursor.execute("CREATE TABLE bench_effects (event_id uuid, at timestamptz DEFAULT clock_timestamp())")
        wait_until("the queue is there", lambda: broker.exists(connection, QUEUE.name))
        for _ in range(ROUNDS):
            bare.append(_rate(connection, cursor, lambda: _consume(connection, url)))
            with logged(platform, ["bench.consume"]):
                handled.append(_rate(connection, cursor, lambda: None))
        cursor.execute("DROP TABLE bench_effects")
    return statistics.median(handled), statistics.median(bare)


def _rate(connection: Any, cursor: Any, consume: Callable[[], None]) -> float:
    """From the first row to the last, by the database's clock."""
    _publish(connection)
    consume()
    wait_until("every event has had its effect", lambda: _count(cursor) == EVENTS, 120)
    cursor.execute("SELECT extract(epoch FROM max(at) - min(at)) FROM bench_effects")
    (seconds,) = cursor.fetchone()
    cursor.execute("TRUNCATE bench_effects")
    return EVENTS / float(seconds)


def _publish(connection: Any) -> None:
    with closing(connection.channel()) as channel:
        for envelope in _events():
            properties = pika.BasicProperties(content_type=CONTENT_TYPE, delivery_mode=2, message_id=envelope.id)
            channel.basic_publish(QUEUE.back, QUEUE.name, envelope.to_json().encode(), properties)


def _events() -> Iterator[Envelope]:
    """Case after case the first step, then the second, as a busy platform would mix them."""
    cases = [uuid.uuid4().hex for _ in range(CASES)]
    kinds: tuple[type[CaseEvent], ...] = (CaseSubmitted, CaseAccepted)
    for sequence, kind in enumerate(kinds, 1):
        for case in cases:
            event = kind(case, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")
            yield Envelope(str(uuid.uuid4()), sequence, datetime.now(UTC), "web", "citizen", event)


def _consume(connection: Any, url: str) -> None:
    """As simply as can be: a row, a commit, an acknowledgement."""
    with closing(psycopg2.connect(url)) as database, closing(connection.channel()) as channel:
        cursor = database.cursor()
        channel.basic_qos(prefetch_count=PREFETCH)
        for number, (method, _, body) in enumerate(channel.consume(QUEUE.name), 1):
            cursor.execute("INSERT INTO bench_effects (event_id) VALUES (%s)", (Envelope.from_json(body).id,))
            database.commit()
            channel.basic_ack(method.delivery_tag)
            if number == EVENTS:
                break
        channel.cancel()


def _count(cursor: Any) -> int:
    cursor.execute("SELECT count(*) FROM bench_effects")
    return int(cursor.fetchone()[0])
