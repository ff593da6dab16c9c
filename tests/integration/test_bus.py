"""Events that fail: retried with growing delays, then dead letters, and their neighbours unharmed."""

import contextlib
import time
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import httpx2
import pika
import psycopg2
import pytest

from chassis import broker
from contracts import topology
from contracts.envelope import CONTENT_TYPE, Envelope
from contracts.events import CaseClosed
from tests.processes import running, wait_until

# as the service of these tests has them
QUEUE = replace(topology.service_queue("rating", "cases"), retry_delays=(1, 2))


@pytest.fixture(scope="module")
def rating(servers, amqp_uri):
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_uri))) as connection:
        broker.declare(connection.channel(), [QUEUE])
        # what other modules left there
        connection.channel().queue_purge(QUEUE.name)
    port = servers.ports["rating"]
    with running(["tests.integration.failing_rating"], servers.environment, ONEHALL_HTTP_PORT=str(port)) as process:
        yield process


@pytest.fixture
def channel(amqp_uri, rating):
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_uri))) as connection:
        channel = connection.channel()
        broker.declare(channel, [QUEUE])
        channel.queue_purge(QUEUE.dead)
        yield channel


@pytest.fixture
def publish(channel):
    def publish(number: str, sequence: int = 1) -> Envelope:
        data = CaseClosed(number, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody", "approved")
        envelope = Envelope(str(uuid.uuid4()), sequence, datetime.now(UTC), "web", "officer", data)
        properties = pika.BasicProperties(content_type=CONTENT_TYPE, delivery_mode=2)
        channel.basic_publish(topology.exchange("cases"), data.routing_key, envelope.to_json().encode(), properties)
        return envelope

    return publish


@pytest.fixture
def done(servers):
    """How far a case is handled by `rating`."""

    def done(number: str) -> int:
        url = servers.environment["ONEHALL_RATING_DATABASE_URL"]
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(sequence), 0) FROM inbox_cursor WHERE subject = %s", (number,))
            return cursor.fetchone()[0]

    return done


def depth(channel, name: str) -> int:
    return channel.queue_declare(name, passive=True).method.message_count


def a_number(prefix: str = "good") -> str:
    return f"{prefix}-{uuid.uuid4().hex}"


def test_many_failing_events_reach_the_dead_letters_and_a_good_one_behind_them_is_handled(channel, publish, done):
    for _ in range(60):
        publish(a_number("fail"))
    good = publish(a_number())
    wait_until("the good one is handled", lambda: done(good.subject) == 1)
    wait_until("all 60 are dead letters", lambda: depth(channel, QUEUE.dead) == 60)


def test_an_event_that_fails_once_is_handled_at_its_second_attempt(channel, publish, done):
    event = publish(a_number("once"))
    wait_until("it is handled", lambda: done(event.subject) == 1)
    assert depth(channel, QUEUE.dead) == 0


def test_a_handler_that_is_interrupted_counts_as_failed(publish, done):
    event = publish(a_number("interrupted"))
    wait_until("it is handled", lambda: done(event.subject) == 1)


def test_successors_wait_for_an_event_that_fails_and_follow_it(channel, publish, done):
    number = a_number("once")
    for sequence in (3, 2, 1):
        publish(number, sequence)
    wait_until("all three are handled", lambda: done(number) == 3)


def test_successors_of_a_dead_letter_stay_parked(channel, publish, done, servers):
    number = a_number("fail")
    publish(number, 1)
    publish(number, 2)
    wait_until("the first is a dead letter", lambda: depth(channel, QUEUE.dead) == 1)
    assert done(number) == 0


def test_a_retry_queue_that_was_deleted_loses_nothing(channel, publish, done):
    channel.queue_delete(QUEUE.retry(1))
    event = publish(a_number("once"))
    wait_until("the service has given it back", lambda: depth(channel, QUEUE.name) == 1)
    broker.declare(channel, [QUEUE])  # as the relay does once it has noticed
    wait_until("it is handled after all", lambda: done(event.subject) == 1)


def test_a_service_waits_for_the_queue_that_its_relay_makes(channel, publish, done, servers, rating):
    channel.queue_delete(QUEUE.name)
    health = f"http://127.0.0.1:{servers.ports['rating']}"
    for _ in range(3):
        for probe in ("healthz", "readyz"):
            assert httpx2.get(f"{health}/{probe}").status_code == 200
    broker.declare(channel, [QUEUE])
    event = publish(a_number())
    wait_until("it is handled", lambda: done(event.subject) == 1)


def test_a_read_only_database_costs_no_attempt(channel, publish, done, servers):
    url = servers.environment["ONEHALL_RATING_DATABASE_URL"]
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ALTER DATABASE rating SET default_transaction_read_only = on")
            _end_other_sessions(cursor)
            try:
                event = publish(a_number())
                waited = time.monotonic() + 8  # longer than all retries together
                wait_until("it had all its attempts", lambda: time.monotonic() > waited)
            finally:
                cursor.execute("SET default_transaction_read_only = off")
                cursor.execute("ALTER DATABASE rating RESET default_transaction_read_only")
                _end_other_sessions(cursor)
    wait_until("it is handled", lambda: done(event.subject) == 1)
    assert depth(channel, QUEUE.dead) == 0


def _end_other_sessions(cursor) -> None:
    with contextlib.suppress(psycopg2.Error):
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )


def test_the_process_outlived_it_all(rating):
    assert rating.poll() is None
