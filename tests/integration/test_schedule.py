"""Scheduled events over a real database: once, in the transaction of their effect, whoever else runs and fails."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis import context, metrics, outbox, schedule
from chassis.database import Database, Session
from chassis.schedule import BATCH, RETRY_DELAYS, Due
from contracts.actors import SYSTEM
from contracts.envelope import Envelope
from contracts.errors import ServiceUnavailable
from contracts.events import RatingReminded
from deploy.local.platform import Platform
from tests.processes import wait_until

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def replicas(servers: Platform) -> Iterator[list[Database]]:
    databases = [Database(servers.environment["ONEHALL_RATING_DATABASE_URL"]) for _ in range(2)]
    yield databases
    for database in databases:
        database.dispose()


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def ask(rating_database: Database, name: str) -> Callable[..., None]:
    def ask(key: str, due_at: datetime = NOW) -> None:
        with rating_database.transaction() as session:
            schedule.at(session, due_at, name, key, {"key": key})

    return ask


def tell(session: Session, due: Due) -> None:
    event = RatingReminded(due.key, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")
    outbox.add(session, event, sequence=1, actor=SYSTEM)


def told(database: Database, *keys: str) -> list[Envelope]:
    with database.transaction() as session:
        statement = text("SELECT body FROM outbox WHERE subject = ANY(:keys) ORDER BY id")
        return [Envelope.from_json(body) for body in session.execute(statement, {"keys": list(keys)}).scalars()]


def keys(count: int) -> list[str]:
    return [uuid.uuid4().hex for _ in range(count)]


def test_it_happens_once_and_not_before_its_time(rating_database, name, ask):
    [key] = keys(1)
    ask(key, NOW + timedelta(days=7))
    run = [schedule.run_due(rating_database, "rating", name, tell, NOW + timedelta(days=days)) for days in (6, 7, 8)]
    assert run == [0, 1, 0]
    assert [envelope.subject for envelope in told(rating_database, key)] == [key]


def test_ten_workers_in_two_replicas_run_each_once(replicas, name, ask):
    asked = keys(60)
    for key in asked:
        ask(key)
    with ThreadPoolExecutor(10) as pool:
        for each in [
            pool.submit(schedule.run_due, replicas[number % 2], "rating", name, tell, NOW) for number in range(10)
        ]:
            each.result()
    assert sorted(envelope.subject for envelope in told(replicas[0], *asked)) == sorted(asked)


def test_asked_for_again_it_moves_and_stays_one(rating_database, name, ask):
    [key] = keys(1)
    ask(key, NOW)
    ask(key, NOW + timedelta(hours=1))
    assert schedule.run_due(rating_database, "rating", name, tell, NOW) == 0
    assert schedule.run_due(rating_database, "rating", name, tell, NOW + timedelta(hours=1)) == 1


def test_what_was_cancelled_does_not_happen(rating_database, name, ask):
    [key] = keys(1)
    ask(key)
    with rating_database.transaction() as session:
        assert schedule.cancel(session, name, key)
        assert not schedule.cancel(session, name, key)
    assert schedule.run_due(rating_database, "rating", name, tell, NOW) == 0


def test_a_need_falls_with_the_transaction_that_made_it(rating_database, name):
    def fail() -> None:
        with rating_database.transaction() as session:
            schedule.at(session, NOW, name, "a", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert schedule.run_due(rating_database, "rating", name, tell, NOW) == 0


def test_one_that_fails_is_undone_and_tried_again_with_growing_delay_and_holds_nobody_up(rating_database, name, ask):
    bad, good = keys(2)
    ask(bad, NOW - timedelta(seconds=1))
    ask(good)

    def handle(session: Session, due: Due) -> None:
        tell(session, due)
        if due.key == bad:
            raise ZeroDivisionError

    assert schedule.run_due(rating_database, "rating", name, handle, NOW) == 2
    assert [envelope.subject for envelope in told(rating_database, bad, good)] == [good]
    assert metrics.schedule_failing.labels("rating", name)._value.get() == 1
    assert metrics.scheduled.labels("rating", name, "failed")._value.get() == 1

    at = NOW
    for delay in RETRY_DELAYS:
        early, at = at + timedelta(seconds=delay - 1), at + timedelta(seconds=delay)
        assert schedule.run_due(rating_database, "rating", name, handle, early) == 0
        assert schedule.run_due(rating_database, "rating", name, handle, at) == 1
    assert metrics.schedule_oldest_seconds.labels("rating", name)._value.get() == (at - NOW).total_seconds() + 1

    later = at + timedelta(seconds=RETRY_DELAYS[-1])
    assert schedule.run_due(rating_database, "rating", name, tell, later) == 1
    assert [envelope.subject for envelope in told(rating_database, bad)] == [bad]
    assert metrics.schedule_failing.labels("rating", name)._value.get() == 0


def test_one_go_has_an_end(rating_database, name, ask):
    for key in keys(BATCH + 1):
        ask(key)
    assert schedule.run_due(rating_database, "rating", name, tell, NOW) == BATCH
    assert schedule.run_due(rating_database, "rating", name, tell, NOW) == 1


def test_a_replica_that_dies_in_the_middle_leaves_it_to_another(replicas, name, ask):
    [key] = keys(1)
    ask(key)

    def die(session: Session, due: Due) -> None:
        tell(session, due)
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(ServiceUnavailable):
        schedule.run_due(replicas[0], "rating", name, die, NOW)
    assert told(replicas[1], key) == []
    assert schedule.run_due(replicas[1], "rating", name, tell, NOW) == 1
    assert len(told(replicas[1], key)) == 1


def test_who_cancels_what_is_running_waits_for_it(replicas, name, ask):
    [key] = keys(1)
    ask(key)
    running, go_on = threading.Event(), threading.Event()

    def handle(session: Session, due: Due) -> None:
        running.set()
        go_on.wait(10)
        tell(session, due)

    def cancel() -> bool:
        with replicas[1].transaction() as session:
            return schedule.cancel(session, name, key)

    with ThreadPoolExecutor(2) as pool:
        run = pool.submit(schedule.run_due, replicas[0], "rating", name, handle, NOW)
        running.wait(10)
        cancelled = pool.submit(cancel)
        wait_until("it waits for the row", lambda: waits_for_a_lock(replicas[0]))
        go_on.set()
        assert (run.result(), cancelled.result()) == (1, False)


def waits_for_a_lock(database: Database) -> bool:
    with database.transaction() as session:
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE%'")
        return bool(session.execute(waiting).scalar_one())


def test_it_goes_on_in_the_trace_in_which_it_was_asked_for(rating_database, name, ask):
    [key] = keys(1)
    context.enter("the-request", TRACE)
    ask(key)
    context.enter("another-request", None)
    schedule.run_due(rating_database, "rating", name, tell, NOW)
    [envelope] = told(rating_database, key)
    assert envelope.correlationid == "the-request"
    assert envelope.traceparent.split("-")[1] == TRACE.split("-")[1]
