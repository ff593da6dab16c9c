"""Order per case and one effect, as properties: concurrent commands, ten workers in two replicas, and every mishap.

The database is real. The bus between them is the worst that `chassis.bus` and a broker may do: any order, doubles,
failures with retries and dead letters, processes that die before the commit, after it, and before a parked event is
forgotten.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis import inbox, outbox
from chassis.database import Database, Session
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.events import CaseAccepted
from deploy.local.platform import Platform

WORKERS, REPLICAS, ATTEMPTS = 10, 2, 3
OFFICER = Actor(subject="officer", client="web", roles=("officer",))


class Died(Exception):
    """The process ends here."""


class Failed(Exception):
    """The handler raises."""


@dataclass
class Bus:
    """The subscriber's queue, handed out in any order, and its dead letters."""

    random: random.Random
    dead: list[Envelope] = field(default_factory=list)
    _waiting: list[tuple[Envelope, int]] = field(default_factory=list)
    _in_hand: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, envelope: Envelope, attempt: int = 1) -> None:
        with self._changed:
            self._waiting.append((envelope, attempt))
            self._changed.notify()

    def take(self) -> tuple[Envelope, int] | None:
        """None when nothing waits and nothing in hand can come back."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._in_hand)
            if not self._waiting:
                self._changed.notify_all()
                return None
            self._in_hand += 1
            return self._waiting.pop(self.random.randrange(len(self._waiting)))

    def done(self) -> None:
        with self._changed:
            self._in_hand -= 1
            self._changed.notify_all()

    def retry(self, envelope: Envelope, attempt: int) -> None:
        if attempt < ATTEMPTS:
            self.put(envelope, attempt + 1)
        else:
            self.dead.append(envelope)


class World:
    """Some cases, what is done to them, and a subscriber. `failures`: for each case, how often each event fails."""

    def __init__(self, replicas: list[Database], failures: list[list[int]], seed: int) -> None:
        self.random = random.Random(seed)
        self.replicas = replicas
        self.failures = {f"{number}-{uuid.uuid4().hex}": list(times) for number, times in enumerate(failures)}
        self.length = {subject: len(times) for subject, times in self.failures.items()}
        self.discarded: dict[str, list[int]] = {subject: [] for subject in self.failures}
        self.published: list[Envelope] = []
        self.bus = Bus(self.random)

    def command(self, subject: str) -> None:
        """Raise the case's sequence and add its event, as every command does."""
        with self.random.choice(self.replicas).transaction() as session:
            sequence = session.execute(
                text("UPDATE a_case SET sequence = sequence + 1 WHERE number = :number RETURNING sequence"),
                {"number": subject},
            ).scalar_one()
            self.pause()
            event = CaseAccepted(subject, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")
            outbox.add(session, event, sequence=sequence, actor=OFFICER)
            self.pause()

    def relay(self) -> int:
        """Publish what is committed, in the order of the outbox, some of it twice; how much it was."""
        with self.replicas[0].transaction() as session:
            rows = session.execute(
                text("SELECT id, body FROM outbox WHERE subject = ANY(:subjects) ORDER BY id"),
                {"subjects": list(self.failures)},
            ).all()
            session.execute(text("DELETE FROM outbox WHERE id = ANY(:ids)"), {"ids": [row.id for row in rows]})
        events = [Envelope.from_json(row.body) for row in rows]
        self.published += events
        for envelope in [*events, *self.random.sample(events, len(events) // 3)]:
            self.bus.put(envelope)
        return len(events)

    def work(self, database: Database) -> None:
        while (taken := self.bus.take()) is not None:
            envelope, attempt = taken
            try:
                self.deliver(database, envelope)
            except Failed:
                self.bus.retry(envelope, attempt)
            except Died:
                self.bus.put(envelope, attempt)
            finally:
                self.bus.done()

    def deliver(self, database: Database, envelope: Envelope) -> None:
        """From the message to its acknowledgement."""
        self.pause()
        with database.transaction() as session:
            receipt = inbox.receive(session, envelope, self.handle)
            self.may_die()
        self.may_die()
        if receipt.successor is not None:
            self.bus.put(receipt.successor)
            self.may_die()
            with database.transaction() as session:
                inbox.unpark(session, receipt.successor)

    def handle(self, session: Session, envelope: Envelope) -> None:
        session.execute(
            text("INSERT INTO an_effect (subject, sequence) VALUES (:subject, :sequence)"),
            {"subject": envelope.subject, "sequence": envelope.sequence},
        )
        self.pause()
        # of several workers only the one with the cursor's lock gets here
        if self.failures[envelope.subject][envelope.sequence - 1] > 0:
            self.failures[envelope.subject][envelope.sequence - 1] -= 1
            raise Failed

    def pause(self) -> None:
        time.sleep(self.random.choice([0, 0, 0.001, 0.003]))  # how late a thread is, not a wait for anything

    def may_die(self) -> None:
        if self.random.random() < 0.05:
            raise Died

    def run(self) -> None:
        """Let all workers work until nothing moves: no message waits, and no parked event has its turn."""
        moving = True
        while moving:
            with ThreadPoolExecutor(WORKERS) as pool:
                works = [pool.submit(self.work, self.replicas[number % REPLICAS]) for number in range(WORKERS)]
            for work in works:
                work.result()
            moving = self.sweep()

    def sweep(self) -> bool:
        """What `Service.send_back_parked_events` does; whether anything was left to send back."""
        with self.replicas[0].transaction() as session:
            ready = [envelope for envelope in inbox.ready(session, 1_000) if envelope.subject in self.failures]
        for envelope in ready:
            self.bus.put(envelope)
            with self.replicas[0].transaction() as session:
                inbox.unpark(session, envelope)
        return bool(ready)

    def decide(self) -> None:
        """The operator: each dead letter is redriven or discarded."""
        letters, self.bus.dead = self.bus.dead, []
        for letter in letters:
            if self.random.random() < 0.5:
                self.bus.put(letter)
                continue
            if letter.sequence not in self.done(letter.subject):
                self.discarded[letter.subject].append(letter.sequence)
            with self.replicas[0].transaction() as session:
                successor = inbox.skip(session, letter)
            if successor is not None:
                self.bus.put(successor)
                with self.replicas[0].transaction() as session:
                    inbox.unpark(session, successor)

    def done(self, subject: str) -> list[int]:
        """What had its effect or was given up. A double may be a dead letter though the other one was handled."""
        return [*self.sequences("an_effect", subject), *self.discarded[subject]]

    def sequences(self, table: str, subject: str) -> list[int]:
        with self.replicas[0].transaction() as session:
            order = "id" if table == "an_effect" else "sequence"
            statement = text(f"SELECT sequence FROM {table} WHERE subject = :subject ORDER BY {order}")  # noqa: S608
            return list(session.execute(statement, {"subject": subject}).scalars())


@pytest.fixture(scope="module")
def replicas(servers: Platform) -> Iterator[list[Database]]:
    url = servers.environment["ONEHALL_RATING_DATABASE_URL"]
    databases = [Database(url, pool_size=WORKERS) for _ in range(REPLICAS)]
    with databases[0].transaction() as session:
        session.execute(text("CREATE TABLE a_case (number text PRIMARY KEY, sequence integer NOT NULL)"))
        session.execute(text("CREATE TABLE an_effect (id bigserial PRIMARY KEY, subject text, sequence integer)"))
    yield databases
    with databases[0].transaction() as session:
        session.execute(text("DROP TABLE a_case, an_effect"))
    for database in databases:
        database.dispose()


how_often_it_fails = st.sampled_from([0, 0, 0, 0, 1, ATTEMPTS - 1, ATTEMPTS, ATTEMPTS + 1])
some_cases = st.lists(st.lists(how_often_it_fails, min_size=1, max_size=5), min_size=1, max_size=4)
within_seconds = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def publish_all(world: World) -> None:
    """Ten at once give commands, on few cases, while the relay publishes and the subscriber works."""
    with world.replicas[0].transaction() as session:
        session.execute(text("INSERT INTO a_case VALUES (:number, 0)"), [{"number": n} for n in world.failures])
    commands = [subject for subject, times in world.failures.items() for _ in times]
    world.random.shuffle(commands)
    with ThreadPoolExecutor(WORKERS) as pool:
        given_commands = [pool.submit(world.command, subject) for subject in commands]
        while not all(command.done() for command in given_commands):
            world.relay()
    for command in given_commands:
        command.result()
    world.relay()


@given(failures=some_cases, seed=st.integers(0, 2**32))
@within_seconds
def test_each_event_has_one_effect_in_order_and_a_dead_letter_holds_only_its_case_up(
    replicas: list[Database], failures: list[list[int]], seed: int
) -> None:
    world = World(replicas, failures, seed)
    publish_all(world)
    for subject, length in world.length.items():
        committed = [envelope.sequence for envelope in world.published if envelope.subject == subject]
        assert committed == list(range(1, length + 1)), "the outbox is in the order of each case"

    world.run()
    check(world)
    while world.bus.dead:
        world.decide()
        world.run()
        check(world)


def check(world: World) -> None:
    """Nothing moves: before a case's dead letter all is done, behind it all is parked; a case without one is done."""
    dead = {
        (letter.subject, letter.sequence)
        for letter in world.bus.dead
        if letter.sequence not in world.done(letter.subject)
    }
    stopped = dict(dead)
    assert len(stopped) == len(dead), "one dead letter a case: what follows waits for it"
    for subject, length in world.length.items():
        stopped_at = stopped.get(subject, length + 1)
        expected = [n for n in range(1, stopped_at) if n not in world.discarded[subject]]
        assert world.sequences("an_effect", subject) == expected
        assert world.sequences("inbox_parked", subject) == list(range(stopped_at + 1, length + 1))


def test_the_property_notices_a_missing_guard(replicas: list[Database], monkeypatch: pytest.MonkeyPatch) -> None:
    def without_order(session: Session, envelope: Envelope, handler: inbox.Handler) -> inbox.Receipt:
        handler(session, envelope)
        return inbox.Receipt(inbox.Outcome.DONE)

    monkeypatch.setattr(inbox, "receive", without_order)
    world = World(replicas, [[0, 0, 0, 0, 0]] * 3, seed=1)
    publish_all(world)
    world.run()
    with pytest.raises(AssertionError):
        check(world)
