"""What was committed, and what became of it everywhere: the bus's promise as one check."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import pika
import psycopg2

from contracts import filters, topology
from deploy.local.platform import Platform
from tests.processes import wait_until

SETTLE_SECONDS = 180
TOLD = {
    "case.submitted",
    "case.accepted",
    "case.correction-requested",
    "case.corrected",
    "case.approved",
    "case.refused",
    "case.withdrawn",
    "case.evidence-answered",
    "case.evidence-overdue",
}
"""What citizens hear of; a closing is told with its decision."""

UNACKED_SECONDS = 60
"""The broker counts what is in hand every few seconds only."""


class Ledger:
    """Looks into the platform's own databases and queues.

    `heard` gives the events that each subscriber outside has heard so far, in order, by the name of its queue.
    """

    def __init__(self, platform: Platform, heard: Mapping[str, Callable[[], list[dict[str, Any]]]]) -> None:
        self._environment = platform.environment
        self._heard = heard

    def require_one_effect_each(self, cases: Collection[str]) -> None:
        """Wait until all is quiet, then: lost 0, doubled 0, ghosts 0, and each case in order, at every subscriber."""
        assert cases, "something was filed"
        wait_until("outboxes, parking and queues are empty", self.is_quiet, SETTLE_SECONDS)
        self._require_ratings_heard(cases)
        committed = self.committed(cases)
        assert set(committed) == set(cases), "every case that was answered is there"
        self._require_rising(committed)
        self._require_history(committed)
        for service in ("notify", "rating"):
            self._require_cursor(service, committed)
        self._require_messages(committed)
        self._require_invitations(committed)
        self._require_heard(cases)
        self._require_no_ghosts()
        assert self.dead_letters() == 0

    def require_nothing_in_hand(self) -> None:
        """No queue of the platform holds a message that somebody took and did not acknowledge."""
        wait_until("everything is acknowledged", lambda: self.unacknowledged() == 0, UNACKED_SECONDS)

    def unacknowledged(self) -> int:
        """Messages in hand, over all queues, as the broker last counted them."""
        url = f"{self._environment['ONEHALL_BROKER_MANAGEMENT_URL']}/api/queues"
        queues = httpx2.get(url, params={"columns": "name,messages_unacknowledged"}).raise_for_status().json()
        return sum(queue.get("messages_unacknowledged", 0) for queue in queues)

    def lost(self, service: str, cases: Collection[str]) -> set[str]:
        """The cases of which `service` has not handled every event of `cases`; meant for when all is quiet."""
        handled = self._cursors(service, cases)
        return {case for case, events in self.committed(cases).items() if handled.get(case) != len(events)}

    def committed(self, cases: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """The events of these cases, by case, in the order of their outbox ids."""
        rows = self.query("cases", "SELECT body FROM outbox WHERE subject = ANY(%s) ORDER BY id", list(cases))
        events = defaultdict(list)
        for (body,) in rows:
            event = json.loads(body)
            events[event["subject"]].append(event)
        return events

    def is_quiet(self) -> bool:
        """Whether nothing is unsent, parked or ready in a queue."""
        unsent = sum(map(self.unsent, topology.publishers()))
        parked = sum(
            self.query(service, "SELECT count(*) FROM inbox_parked")[0][0] for service in topology.SUBSCRIPTIONS
        )
        return unsent + parked + self._waiting_in_queues() == 0

    def unsent(self, source: str) -> int:
        """Committed events that the relay has not marked."""
        return int(self.query(source, "SELECT count(*) FROM outbox WHERE position IS NULL")[0][0])

    def dead_letters(self) -> int:
        with self._channel() as channel:
            return sum(_depth(channel, queue.dead) for queue in self.queues())

    def depth(self, queue: str) -> int:
        """Messages ready in it."""
        with self._channel() as channel:
            return _depth(channel, queue)

    def execute(self, service: str, statement: str, *parameters: Any) -> None:
        connection = psycopg2.connect(self._environment[f"ONEHALL_{service.upper()}_DATABASE_URL"])
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, parameters)
        finally:
            connection.close()

    def query(self, service: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self._environment[f"ONEHALL_{service.upper()}_DATABASE_URL"])
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall()
        finally:
            connection.close()

    def _waiting_in_queues(self) -> int:
        """Ready messages everywhere; what somebody has in hand shows as an effect that is not there yet."""
        with self._channel() as channel:
            return sum(
                _depth(channel, name)
                for queue in self.queues()
                for name in (queue.name, *map(queue.retry, queue.retry_delays))
            )

    def queues(self) -> list[topology.Queue]:
        """The queues of events: the services', and those of the subscriptions that somebody hears."""
        services = [queue for source in topology.publishers() for queue in topology.service_queues(source)]
        return [*services, *self._subscriptions()]

    def _subscriptions(self) -> list[topology.Queue]:
        """Those that somebody hears."""
        rows = self.query("cases", "SELECT owner, name, patterns FROM subscriptions WHERE removed_at IS NULL")
        return [queue for queue in (topology.subscription_queue(*row) for row in rows) if queue.name in self._heard]

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika.URLParameters(self._environment["AMQP_URI"]))
        try:
            yield connection.channel()
        finally:
            connection.close()

    def _require_rising(self, committed: dict[str, list[dict[str, Any]]]) -> None:
        for case, events in committed.items():
            assert [event["sequence"] for event in events] == list(range(1, len(events) + 1)), case

    def _require_history(self, committed: dict[str, list[dict[str, Any]]]) -> None:
        rows = self.query(
            "cases",
            "SELECT number, sequence, event FROM case_history WHERE number = ANY(%s) ORDER BY sequence",
            list(committed),
        )
        history = defaultdict(list)
        for number, _, event in rows:
            history[number].append(event)
        assert history == {case: [event["type"] for event in events] for case, events in committed.items()}

    def _require_cursor(self, service: str, committed: dict[str, list[dict[str, Any]]]) -> None:
        expected = {case: len(events) for case, events in committed.items()}
        wait_until(
            f"{service} has handled everything",
            lambda: self._cursors(service, committed) == expected,
            SETTLE_SECONDS,
        )

    def _cursors(self, service: str, cases: Collection[str]) -> dict[str, int]:
        statement = "SELECT subject, sequence FROM inbox_cursor WHERE source = 'cases' AND subject = ANY(%s)"
        return dict(self.query(service, statement, list(cases)))

    def _require_messages(self, committed: dict[str, list[dict[str, Any]]]) -> None:
        """One inbox message and at most one mail row an event that is told, and none of anything else."""
        expected = {event["id"] for events in committed.values() for event in events if event["type"] in TOLD}
        rows = self.query("notify", "SELECT event_id::text FROM messages WHERE number = ANY(%s)", list(committed))
        told = Counter(event_id for (event_id,) in rows)
        invited = self._ids_of_ratings(committed)
        assert dict.fromkeys(expected, 1) == {key: told[key] for key in told if key not in invited}
        rows = self.query("notify", "SELECT event_id::text FROM deliveries WHERE number = ANY(%s)", list(committed))
        mailed = Counter(event_id for (event_id,) in rows)
        assert all(count == 1 for count in mailed.values()), "doubled"
        assert set(mailed) <= set(told), "a mail without its message"

    def _ids_of_ratings(self, cases: Collection[str]) -> set[str]:
        rows = self.query("rating", "SELECT event_id::text FROM outbox WHERE subject = ANY(%s)", list(cases))
        return {event_id for (event_id,) in rows}

    def _require_ratings_heard(self, cases: Collection[str]) -> None:
        statement = "SELECT subject, max(sequence) FROM outbox WHERE subject = ANY(%s) GROUP BY subject"
        expected = dict(self.query("rating", statement, list(cases)))
        statement = "SELECT subject, sequence FROM inbox_cursor WHERE source = 'rating' AND subject = ANY(%s)"
        for service in ("cases", "notify"):
            wait_until(
                f"{service} has handled every rating",
                lambda service=service: dict(self.query(service, statement, list(cases))) == expected,
                SETTLE_SECONDS,
            )

    def _require_invitations(self, committed: dict[str, list[dict[str, Any]]]) -> None:
        """`rating` has asked once for each case that was closed, and for no other."""
        closed = {case for case, events in committed.items() if events_of("case.closed", events)}
        statement = "SELECT subject FROM outbox WHERE subject = ANY(%s) AND sequence = 1"
        invited = [case for (case,) in self.query("rating", statement, list(committed))]
        assert sorted(invited) == sorted(closed)

    def _require_heard(self, cases: Collection[str]) -> None:
        """Everybody outside has heard what the subscription covers: all of it, once, and each case in order."""
        for queue in self._subscriptions():
            expected = self._covered(queue, cases)
            wait_until(
                f"whoever hears {queue.name} has heard each case, once and in order",
                lambda queue=queue, expected=expected: self._heard_ids(queue.name, cases) == expected,
                SETTLE_SECONDS,
            )

    def _covered(self, queue: topology.Queue, cases: Collection[str]) -> dict[str, list[str]]:
        statement = "SELECT subject, event_id::text, routing_key FROM outbox WHERE subject = ANY(%s) ORDER BY id"
        covered = defaultdict(list)
        for subject, event_id, routing_key in self.query(queue.source, statement, list(cases)):
            if filters.matches(queue.patterns, routing_key):
                covered[subject].append(event_id)
        return covered

    def _heard_ids(self, queue: str, cases: Collection[str]) -> dict[str, list[str]]:
        heard = defaultdict(list)
        for event in self._heard[queue]():
            if event["subject"] in cases:
                heard[event["subject"]].append(event["id"])
        return heard

    def _require_no_ghosts(self) -> None:
        """Nobody was told of an event that was never committed."""
        committed = {
            event_id
            for source in topology.publishers()
            for (event_id,) in self.query(source, "SELECT event_id::text FROM outbox")
        }
        told = {event_id for (event_id,) in self.query("notify", "SELECT event_id::text FROM messages")}
        heard = {event["id"] for events in self._heard.values() for event in events()}
        assert told | heard <= committed


def events_of(type_: str, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == type_]


def _depth(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)
