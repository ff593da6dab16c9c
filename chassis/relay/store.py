"""The relay's side of the outbox table, on the one connection that holds the leader's lock and marks rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2

from chassis.postgres import TCP_LIMITS
from contracts import topology

# one leader a database; the number only has to differ from other advisory locks in it
_LEADER_LOCK = 0x0B0C

_MARK = (
    "UPDATE outbox SET position = marked.position"
    " FROM unnest(%s::bigint[], %s::bigint[]) AS marked (id, position) WHERE outbox.id = marked.id"
)
# whatever is unsent and not under way: a late committer is only one more such row, so nothing is skipped
_READ = (
    "SELECT id, event_id::text, routing_key, body FROM outbox"
    " WHERE position IS NULL AND id <> ALL (%s::bigint[]) ORDER BY id LIMIT %s"
)
_BACKLOG = (
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox WHERE position IS NULL"
)
_SUBSCRIPTIONS = "SELECT owner, name, patterns FROM subscriptions WHERE ended_at IS NULL ORDER BY created_at"
_ENDED = "SELECT owner, name FROM subscriptions WHERE ended_at IS NOT NULL AND removed_at IS NULL"
_SET_REMOVED = "UPDATE subscriptions SET removed_at = now() WHERE owner = %s AND name = %s AND ended_at IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Row:
    """One unsent event."""

    id: int
    event_id: str
    routing_key: str
    body: str


class OutboxStore:
    """`url` is the service's database. Losing the connection loses the lock, and marking stops with it."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url, application_name="onehall-relay", **TCP_LIMITS)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        self._cursor.execute("SET statement_timeout = '30s'")

    def try_lead(self) -> bool:
        """Whether this relay is the leader now. Not by waiting: a waiting session holds back VACUUM."""
        self._cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LEADER_LOCK,))
        return bool(self._fetch_one()[0])

    def last_position(self) -> int:
        self._cursor.execute("SELECT coalesce(max(position), 0) FROM outbox")
        return int(self._fetch_one()[0])

    def mark(self, ids: Sequence[int], first_position: int) -> None:
        """Give rows that the broker confirmed the next positions, in the order of their ids.

        Committed for good: a position that was once seen never means another event.
        """
        ordered = sorted(ids)
        self._cursor.execute(_MARK, (ordered, list(range(first_position, first_position + len(ordered)))))

    def read(self, under_way: Sequence[int], limit: int) -> list[Row]:
        """The oldest unsent rows but those that are under way already."""
        self._cursor.execute(_READ, (list(under_way), limit))
        return [Row(*values) for values in self._cursor.fetchall()]

    def backlog(self) -> tuple[int, float]:
        """How many events are unsent, and the age of the oldest in seconds."""
        self._cursor.execute(_BACKLOG)
        count, age = self._fetch_one()
        return int(count), float(age)

    def queues(self, source: str) -> tuple[topology.Queue, ...]:
        """Every queue that hears `source`: the services' and the subscriptions'."""
        return _queues(self._cursor, source)

    def close(self) -> None:
        self._connection.close()

    def _fetch_one(self) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self._cursor.fetchone()
        assert row is not None  # noqa: S101  an aggregate always has a row
        return row


class SubscriptionStore:
    """The subscriptions and replays of the publisher's database, on a connection beside the leader's."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url, application_name="onehall-relay-watch", **TCP_LIMITS)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()

    def queues(self, source: str) -> tuple[topology.Queue, ...]:
        """Every queue that hears `source`: the services' and the subscriptions'."""
        return _queues(self._cursor, source)

    def ended(self, source: str) -> list[topology.Queue]:
        """The queues of subscriptions that have ended and are not removed yet."""
        if source != topology.SUBSCRIBABLE:
            return []
        self._cursor.execute(_ENDED)
        return [topology.subscription_queue(*row) for row in self._cursor.fetchall()]

    def set_removed(self, queue: topology.Queue) -> None:
        _, owner, name = queue.name.split(".", 2)
        self._cursor.execute(_SET_REMOVED, (owner, name))

    def open_replays(self) -> list[tuple[str, str]]:
        """Id and queue, the oldest first."""
        self._cursor.execute("SELECT id::text, queue FROM replays WHERE finished_at IS NULL ORDER BY requested_at")
        return self._cursor.fetchall()

    def finish(self, replay: str) -> None:
        self._cursor.execute("UPDATE replays SET finished_at = now() WHERE id = %s", (replay,))

    def close(self) -> None:
        self._connection.close()


def _queues(cursor: Any, source: str) -> tuple[topology.Queue, ...]:
    if source != topology.SUBSCRIBABLE:
        return topology.service_queues(source)
    cursor.execute(_SUBSCRIPTIONS)
    subscriptions = [topology.subscription_queue(*row) for row in cursor.fetchall()]
    return (*topology.service_queues(source), *subscriptions)


class OutboxListener:
    """A second connection that only hears `NOTIFY outbox`. `fileno()` becomes readable when there is something."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url, application_name="onehall-relay-listen", **TCP_LIMITS)
        self._connection.autocommit = True
        self._connection.cursor().execute("LISTEN outbox")

    def fileno(self) -> int:
        return int(self._connection.fileno())

    def drain(self) -> None:
        """Take all notifications; they carry nothing but that there is work."""
        self._connection.poll()
        self._connection.notifies.clear()

    def close(self) -> None:
        self._connection.close()
