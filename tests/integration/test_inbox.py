"""Each event has one effect, in order per subject, however it is delivered."""

import random
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis import inbox
from chassis.database import Database
from chassis.inbox import Outcome
from contracts.envelope import Envelope
from contracts.events import CaseSubmitted


def event(subject: str, sequence: int) -> Envelope:
    data = CaseSubmitted(subject, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")
    return Envelope(str(uuid.uuid4()), sequence, datetime.now(UTC), "web", "citizen", data)


class Subscriber:
    """Handles as a service does, and works off what it unparks at once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.effects: dict[str, list[int]] = defaultdict(list)

    def deliver(self, envelope: Envelope) -> Outcome:
        def handle(_: object, handled: Envelope) -> None:
            # under the cursor's lock, so this list is in the order in which effects are committed
            self.effects[handled.subject].append(handled.sequence)

        with self.database.transaction() as session:
            receipt = inbox.receive(session, envelope, handle)
        if receipt.successor is not None:
            self.deliver(receipt.successor)
            with self.database.transaction() as session:
                inbox.unpark(session, receipt.successor)
        return receipt.outcome


@pytest.fixture
def subscriber(rating_database):
    return Subscriber(rating_database)


def a_subject() -> str:
    return uuid.uuid4().hex


def test_the_next_event_runs_and_a_second_delivery_does_not(subscriber):
    first = event(a_subject(), 1)
    assert subscriber.deliver(first) is Outcome.DONE
    assert subscriber.deliver(first) is Outcome.DUPLICATE
    assert subscriber.effects[first.subject] == [1]


def test_an_early_event_waits_for_its_predecessor(subscriber):
    subject = a_subject()
    assert subscriber.deliver(event(subject, 2)) is Outcome.PARKED
    assert subscriber.effects[subject] == []
    subscriber.deliver(event(subject, 1))
    assert subscriber.effects[subject] == [1, 2]


def test_what_a_failing_handler_did_is_undone_with_its_cursor(subscriber):
    first = event(a_subject(), 1)

    def fail(session, _):
        session.execute(text("CREATE TEMPORARY TABLE half_done (n int)"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), subscriber.database.transaction() as session:
        inbox.receive(session, first, fail)
    assert subscriber.deliver(first) is Outcome.DONE


def test_an_event_left_parked_by_a_process_that_died_is_found(subscriber):
    subject = a_subject()
    second = event(subject, 2)
    subscriber.deliver(second)
    with subscriber.database.transaction() as session:
        inbox.receive(session, event(subject, 1), lambda *_: None)
        assert second in inbox.ready(session, 1000)


@given(
    deliveries=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), min_size=1, max_size=40),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ten_workers_and_any_order_with_doubles_give_each_effect_once_in_order(rating_database, deliveries, seed):
    subscriber = Subscriber(rating_database)
    subjects = [a_subject() for _ in range(3)]
    events = {(s, n): event(subjects[s], n) for s in range(3) for n in range(1, 6)}
    # every event at least once, some more often, in any order
    order = [*events, *deliveries]
    random.Random(seed).shuffle(order)
    with ThreadPoolExecutor(10) as workers:
        list(workers.map(lambda key: subscriber.deliver(events[key]), order))
    assert [subscriber.effects[subject] for subject in subjects] == [[1, 2, 3, 4, 5]] * 3
    with rating_database.transaction() as session:
        left = session.execute(
            text("SELECT count(*) FROM inbox_parked WHERE subject = ANY(:subjects)"), {"subjects": subjects}
        ).scalar_one()
    assert left == 0
