"""An operator redrives or discards dead letters; each event still has one effect, and its case goes on."""

import uuid
from contextlib import closing
from datetime import UTC, datetime

import pika
import pytest

from chassis import broker, inbox
from chassis.dead_letters import DeadLetters, Filter
from chassis.inbox import Outcome, PredecessorMissing
from contracts import topology
from contracts.envelope import REPLAY_HEADER, Envelope
from contracts.events import RatingInvited

QUEUE = topology.service_queue("notify", "rating")


def event(subject: str, sequence: int) -> Envelope:
    data = RatingInvited(subject, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")
    return Envelope(str(uuid.uuid4()), sequence, datetime.now(UTC), "web", "citizen", data)


@pytest.fixture
def connection(amqp_uri):
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_uri))) as connection:
        channel = connection.channel()
        broker.declare(channel, [QUEUE])
        channel.queue_purge(QUEUE.name)
        channel.queue_purge(QUEUE.dead)
        yield connection


@pytest.fixture
def bury(connection):
    def bury(*bodies: bytes, headers: dict[str, object] | None = None) -> None:
        channel = connection.channel()
        channel.confirm_delivery()
        for body in bodies:
            channel.basic_publish("", QUEUE.dead, body, pika.BasicProperties(headers=headers))

    return bury


@pytest.fixture
def letters(connection):
    with closing(connection.channel()) as channel:
        yield DeadLetters(channel, QUEUE)


def everything_in(connection, name):
    channel = connection.channel()
    bodies = []
    while (delivery := channel.basic_get(name, auto_ack=True))[0]:
        bodies.append(delivery[2])
    return bodies


def handle(database, envelope):
    with database.transaction() as session:
        return inbox.receive(session, envelope, lambda *_: None)


def test_redriven_in_the_order_of_the_case_and_gone_from_the_dead(connection, bury, letters):
    subject = uuid.uuid4().hex
    first, second = (event(subject, sequence).to_json().encode() for sequence in (1, 2))
    bury(second, first)
    for letter in letters.take(Filter(subject=subject)):
        letters.redrive(letter)
    assert everything_in(connection, QUEUE.name) == [first, second]
    assert everything_in(connection, QUEUE.dead) == []


def test_one_that_a_replay_brought_again_says_so_still(connection, bury, letters):
    """Its subscriber has handled the event once before, and would drop it as a double."""
    bury(event(uuid.uuid4().hex, 1).to_json().encode(), headers={REPLAY_HEADER: "replay-1", "x-attempt": 4})
    [letter] = letters.take(Filter())
    letters.redrive(letter)
    _, properties, _ = connection.channel().basic_get(QUEUE.name, auto_ack=True)
    assert properties.headers[REPLAY_HEADER] == "replay-1"
    assert "x-attempt" not in properties.headers


def test_what_does_not_match_goes_back(connection, bury):
    wanted, other = event(uuid.uuid4().hex, 1), event(uuid.uuid4().hex, 1)
    bury(other.to_json().encode(), b"unreadable", wanted.to_json().encode())
    with closing(connection.channel()) as channel:
        letters = DeadLetters(channel, QUEUE)
        [letter] = letters.take(Filter(event_id=wanted.id))
        letters.redrive(letter)
    assert set(everything_in(connection, QUEUE.dead)) == {other.to_json().encode(), b"unreadable"}


def test_what_nobody_can_read_is_taken_when_no_filter_asks_for_more(bury, letters):
    bury(b"unreadable")
    [letter] = letters.take(Filter())
    assert letter.envelope is None
    letters.discard(letter, None)


def test_a_queue_that_its_relay_has_not_made_yet_holds_none(connection):
    queue = topology.subscription_queue(f"test-{uuid.uuid4().hex[:8]}", "new")
    assert DeadLetters(connection.channel(), queue).take(Filter()) == []


def test_a_discarded_event_lets_its_case_go_on(connection, bury, letters, notify_database):
    subject = uuid.uuid4().hex
    dead, parked = event(subject, 1), event(subject, 2)
    assert handle(notify_database, parked).outcome is Outcome.PARKED
    bury(dead.to_json().encode())
    [letter] = letters.take(Filter(subject=subject))
    letters.discard(letter, notify_database)
    assert everything_in(connection, QUEUE.name) == [parked.to_json().encode()]
    assert handle(notify_database, parked).outcome is Outcome.DONE
    assert handle(notify_database, dead).outcome is Outcome.DUPLICATE


def test_an_event_that_is_not_the_next_one_cannot_be_discarded(connection, bury, notify_database):
    later = event(uuid.uuid4().hex, 3)
    bury(later.to_json().encode())
    with closing(connection.channel()) as channel:
        letters = DeadLetters(channel, QUEUE)
        [letter] = letters.take(Filter(subject=later.subject))
        with pytest.raises(PredecessorMissing):
            letters.discard(letter, notify_database)
    assert everything_in(connection, QUEUE.dead) == [later.to_json().encode()]
