"""From the outbox to the broker: nothing skipped, nothing lost, in order per subject."""

import uuid
from contextlib import ExitStack, closing

import pika
import psycopg2
import pytest

from chassis import outbox
from contracts import topology
from contracts.actors import SYSTEM
from contracts.envelope import Envelope
from contracts.events import RatingInvited
from tests.processes import Failpoint, kill, running, wait_until

RELAY = ["chassis.relay", "rating"]


def event(number: str) -> RatingInvited:
    return RatingInvited(number, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")


class Queue:
    """A quorum queue of this test's own on `rating.events`."""

    def __init__(self, amqp_uri: str) -> None:
        self.connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
        self.channel = self.connection.channel()
        self.name = f"test.{uuid.uuid4().hex}"
        self.channel.exchange_declare("rating.events", "topic", durable=True)
        self.channel.queue_declare(self.name, durable=True, arguments={"x-queue-type": "quorum"})
        self.channel.queue_bind(self.name, "rating.events", "#")
        self.received: list[Envelope] = []

    def take(self) -> list[Envelope]:
        """Everything received so far."""
        while (delivery := self.channel.basic_get(self.name, auto_ack=True))[0]:
            self.received.append(Envelope.from_json(delivery[2]))
        return self.received

    def numbers(self, mine: list[str]) -> list[str]:
        """The subjects received, in order, of those that the test itself filed."""
        return [envelope.subject for envelope in self.take() if envelope.subject in mine]

    def close(self) -> None:
        self.channel.queue_delete(self.name)
        self.connection.close()


@pytest.fixture
def queue(amqp_uri):
    queue = Queue(amqp_uri)
    yield queue
    queue.close()


@pytest.fixture
def url(servers):
    return servers.environment["ONEHALL_RATING_DATABASE_URL"]


@pytest.fixture
def file_events(rating_database):
    """Add one event of a new subject each, each in a transaction of its own; return the subjects."""

    def add(count: int) -> list[str]:
        numbers = [uuid.uuid4().hex for _ in range(count)]
        for number in numbers:
            with rating_database.transaction() as session:
                outbox.add(session, event(number), sequence=1, actor=SYSTEM)
        return numbers

    return add


def unsent(url: str) -> int:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM outbox WHERE position IS NULL")
        return cursor.fetchone()[0]


def test_what_was_committed_before_and_after_the_start_arrives_in_order(servers, queue, file_events, url):
    before = file_events(20)
    with running(RELAY, servers.environment):
        wait_until("the first events are sent", lambda: queue.numbers(before) == before)
        after = file_events(20)
        wait_until("the later events are sent", lambda: queue.numbers(before + after) == before + after)
        wait_until("all are marked", lambda: unsent(url) == 0)


def test_positions_rise_in_the_order_of_each_subject_without_a_gap(servers, queue, file_events, url):
    numbers = file_events(30)
    with running(RELAY, servers.environment):
        wait_until("all are marked", lambda: unsent(url) == 0)
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT position FROM outbox WHERE subject = ANY(%s) ORDER BY id", (numbers,))
        positions = [position for (position,) in cursor]
    assert positions == list(range(positions[0], positions[0] + 30))


def test_a_transaction_that_commits_late_is_not_skipped(servers, queue, file_events, rating_database):
    late = uuid.uuid4().hex
    with running(RELAY, servers.environment):
        with rating_database.transaction() as session:
            # takes the lower id and commits after the others
            outbox.add(session, event(late), sequence=1, actor=SYSTEM)
            early = file_events(3)
            wait_until("the others are sent", lambda: queue.numbers(early) == early)
        wait_until("the late one is sent", lambda: queue.numbers([*early, late]) == [*early, late])


def test_a_relay_killed_between_confirm_and_mark_loses_nothing(servers, queue, file_events, url, tmp_path):
    failpoint = Failpoint("relay.confirmed", tmp_path)
    with running(RELAY, servers.environment, **failpoint.environment) as relay:
        numbers = file_events(5)
        failpoint.wait()
        kill(relay)
    assert unsent(url) > 0
    with running(RELAY, servers.environment):
        wait_until("all are marked", lambda: unsent(url) == 0)
    received = queue.numbers(numbers)
    assert list(dict.fromkeys(received)) == numbers
    ids = {envelope.id for envelope in queue.received if envelope.subject in numbers}
    assert len(ids) == 5, "a second sending keeps its id"
    assert len(received) > 5, "what was confirmed and not marked is sent again"


def test_of_two_relays_one_publishes_and_the_other_takes_over(servers, queue, file_events, url):
    with ExitStack() as stack:
        first = stack.enter_context(running(RELAY, servers.environment))
        numbers = file_events(1)
        wait_until("the first relay leads", lambda: queue.numbers(numbers) == numbers)
        stack.enter_context(running(RELAY, servers.environment))
        numbers += file_events(10)
        wait_until("sent once", lambda: queue.numbers(numbers) == numbers)
        kill(first)
        numbers += file_events(10)
        wait_until("the second relay goes on", lambda: unsent(url) == 0)
    assert list(dict.fromkeys(queue.numbers(numbers))) == numbers


def test_a_lost_queue_is_found_and_made_again(servers, amqp_uri):
    lost = topology.service_queue("rating", "cases")
    with running(["chassis.relay", "cases"], servers.environment), pika_connection(amqp_uri) as connection:
        wait_until("the relay has declared it", lambda: _exists(connection, lost.name))
        connection.channel().queue_delete(lost.name)
        wait_until("it is there again", lambda: _exists(connection, lost.name), 15)


def pika_connection(amqp_uri):
    return closing(pika.BlockingConnection(pika.URLParameters(amqp_uri)))


def _exists(connection, name):
    channel = connection.channel()
    try:
        channel.queue_declare(name, passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        return False
    channel.close()
    return True
