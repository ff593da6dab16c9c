"""A department's subscription made for a test, with what it received."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pika
from sqlalchemy import text

from chassis import broker, outbox, replays
from chassis.database import Database, Session
from contracts import topology
from contracts.actors import SYSTEM
from contracts.envelope import Envelope
from contracts.events import CaseAccepted, CaseEvent, CaseSubmitted
from contracts.filters import EventFilter
from tests.processes import wait_until

_ADD = text(
    "INSERT INTO subscriptions (owner, name, filter, patterns, delivery, start, created_at, created_by)"
    " VALUES (:owner, 'cases', '{}', :patterns, 'amqp', 'now', now(), 'test')"
)
_END = text("UPDATE subscriptions SET ended_at = now(), end_reason = 'owner' WHERE owner = :owner")

_STANDING = text("SELECT count(*) FROM subscriptions WHERE owner = :owner AND removed_at IS NULL")


class Subscription:
    """To everything of one department, which no other test knows."""

    def __init__(self, database: Database, amqp_uri: str) -> None:
        self.department = f"d{uuid.uuid4().hex[:12]}"
        self.queue = topology.subscription_queue(
            self.department, "cases", EventFilter(departments=(self.department,)).patterns
        )
        self.received: list[Envelope] = []
        self.headers: list[dict[str, str]] = []
        self._database = database
        self.connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))

    def begin(self, after: int) -> None:
        with self._database.transaction() as session:
            session.execute(_ADD, {"owner": self.department, "patterns": list(self.queue.patterns)})
            replays.go_live(session, self.queue, after, "test")

    def begin_now(self) -> None:
        with self._database.transaction() as session:
            last = replays.last_position(session)
        self.begin(last)

    def go_live(self) -> None:
        """Begin now, and wait until the relay, which runs, has bound the queue."""
        self.begin_now()
        wait_until("it is live", self.is_live)

    def repeat(self, after: int, until: int) -> str:
        with self._database.transaction() as session:
            return replays.repeat(session, self.queue, after, until, "test")

    def end(self) -> None:
        with self._database.transaction() as session:
            session.execute(_END, {"owner": self.department})

    def is_removed(self) -> bool:
        """Whether its name is free again."""
        with self._database.transaction() as session:
            return session.execute(_STANDING, {"owner": self.department}).scalar_one() == 0

    def file(self, count: int) -> list[str]:
        """Commit events of new cases, one transaction each; their ids."""
        return [event for _ in range(count) for event in self._commit([(uuid.uuid4().hex, CaseSubmitted, 1)])]

    def pass_case(self, to: Subscription) -> list[str]:
        """One case of this department: its own, passed to the other and worked on there, and its own again."""
        case, passed = uuid.uuid4().hex, (False, True, True, False)
        with self._database.transaction() as session:
            for sequence, is_passed in enumerate(passed, 1):
                key = self._event(CaseAccepted, case, to.department).routing_key
                event = self._event(CaseAccepted, case, self.department)
                outbox.add(session, event, sequence=sequence, actor=SYSTEM, other_keys=[key] if is_passed else [])
            return self._ids(session, [case], len(passed))

    def file_case(self, steps: int) -> list[str]:
        """One case with so many events, one transaction each."""
        case = uuid.uuid4().hex
        return [event for step in range(1, steps + 1) for event in self._commit([(case, CaseAccepted, step)])]

    def file_history(self, count: int) -> list[str]:
        """Many events in one transaction."""
        return self._commit([(uuid.uuid4().hex, CaseSubmitted, 1) for _ in range(count)])

    def _commit(self, events: list[tuple[str, type[CaseSubmitted] | type[CaseAccepted], int]]) -> list[str]:
        with self._database.transaction() as session:
            for case, kind, sequence in events:
                outbox.add(session, self._event(kind, case, self.department), sequence=sequence, actor=SYSTEM)
            return self._ids(session, [case for case, _, _ in events], len(events))

    def _event(self, kind: type[CaseSubmitted] | type[CaseAccepted], case: str, department: str) -> CaseEvent:
        return kind(case, "residence-permit", department, "511602", "confirmation", "somebody")

    def _ids(self, session: Session, cases: list[str], count: int) -> list[str]:
        """Of the last so many events of these cases."""
        last = text("SELECT event_id::text FROM outbox WHERE subject = ANY (:cases) ORDER BY id DESC LIMIT :count")
        return list(session.execute(last, {"cases": cases, "count": count}).scalars())[::-1]

    def take(self) -> list[str]:
        """The ids of everything received so far, in order."""
        if self.is_there():
            for properties, body in messages(self.connection, self.queue.name):
                self.received.append(Envelope.from_json(body))
                self.headers.append(properties.headers or {})
        return [envelope.id for envelope in self.received]

    def is_there(self) -> bool:
        return broker.exists(self.connection, self.queue.name)

    def is_live(self) -> bool:
        """Whether nothing is to be sent to it any more but what is new."""
        with self._database.transaction() as session:
            statement = text("SELECT count(*) FROM replays WHERE queue = :queue AND finished_at IS NULL")
            return session.execute(statement, {"queue": self.queue.name}).scalar_one() == 0

    def live_at(self) -> datetime:
        with self._database.transaction() as session:
            statement = text("SELECT max(finished_at) FROM replays WHERE queue = :queue")
            finished: datetime = session.execute(statement, {"queue": self.queue.name}).scalar_one()
            return finished

    def refuse(self) -> bool:
        """Make a dead letter of what comes first; whether anything came."""
        channel = self.connection.channel()
        method = next(channel.consume(self.queue.name, inactivity_timeout=1))[0]
        if method is not None:
            channel.basic_reject(method.delivery_tag, requeue=False)
        channel.close()
        return method is not None

    def positions(self) -> list[int]:
        """Of its events that are published."""
        with self._database.transaction() as session:
            statement = text(
                "SELECT position FROM outbox WHERE routing_key LIKE :key AND position IS NOT NULL ORDER BY position"
            )
            return list(session.execute(statement, {"key": f"%.{self.department}.%"}).scalars())

    def close(self) -> None:
        self.end()
        self.connection.close()


def messages(connection: pika.BlockingConnection, queue: str) -> Iterator[tuple[pika.BasicProperties, bytes]]:
    """What is in the queue now; it is taken."""
    channel = connection.channel()
    channel.basic_qos(prefetch_count=500)
    for method, properties, body in channel.consume(queue, inactivity_timeout=0.2):
        if method is None:
            break
        channel.basic_ack(method.delivery_tag)
        yield properties, body
    channel.close()


class Writer:
    """Commits events of one subscription's department as fast as it can, in a thread of its own."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.filed: list[str] = []

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.filed += self._subscription.file_case(3)

    @contextmanager
    def writing(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
