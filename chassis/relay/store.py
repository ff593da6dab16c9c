"""The relay's side of the outbox table, on the one connection that holds the leader's lock and marks rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg2

from chassis.history import LAST_POSITION
from chassis.postgres import TCP_LIMITS
from chassis.relay.messages import Row

# one leader a database; the number only has to differ from other advisory locks in it
_LEADER_LOCK = 0x0B0C

# the rows' months and ids are named, so that neither the history nor a long backlog is looked into
_MARK = (
    "UPDATE outbox SET position = marked.position"
    " FROM unnest(%s::bigint[], %s::bigint[]) AS marked (id, position)"
    " WHERE outbox.id = marked.id AND outbox.position IS NULL"
    " AND outbox.created_at BETWEEN %s AND %s AND outbox.id BETWEEN %s AND %s"
)
# whatever is unsent and not under way: a late committer is only one more such row, so nothing is skipped
_PREPARE_READ = (
    "PREPARE read_unsent (bigint[], int) AS SELECT id, event_id::text, routing_key, body, created_at, other_keys"
    " FROM outbox WHERE position IS NULL AND id <> ALL ($1) ORDER BY id LIMIT $2"
)
_READ = "EXECUTE read_unsent (%s, %s)"
_BACKLOG = (
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox WHERE position IS NULL"
)


class OutboxStore:
    """`url` is the service's database. Losing the connection loses the lock, and marking stops with it."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url, application_name="onehall-relay", **TCP_LIMITS)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        self._cursor.execute("SET statement_timeout = '30s'")
        # always by index, in order: the planner would rather sort a backlog of which it does not know how long it is;
        # and planned once, because that takes longer than the reading the more months there are
        self._cursor.execute("SET enable_sort = off; SET plan_cache_mode = force_generic_plan")
        self._cursor.execute(_PREPARE_READ)

    def try_lead(self) -> bool:
        """Whether this relay is the leader now. Not by waiting: a waiting session holds back VACUUM."""
        self._cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LEADER_LOCK,))
        return bool(self._fetch_one()[0])

    def last_position(self) -> int:
        self._cursor.execute(LAST_POSITION)
        return int(self._fetch_one()[0])

    def mark(self, rows: Sequence[Row], first_position: int) -> None:
        """Give rows that the broker confirmed the next positions, in the order of their ids.

        Committed for good: a position that was once seen never means another event.
        """
        ids = sorted(row.id for row in rows)
        times = [row.created_at for row in rows]
        positions = list(range(first_position, first_position + len(ids)))
        self._cursor.execute(_MARK, (ids, positions, min(times), max(times), ids[0], ids[-1]))

    def read(self, under_way: Sequence[int], limit: int) -> list[Row]:
        """The oldest unsent rows but those that are under way already."""
        self._cursor.execute(_READ, (list(under_way), limit))
        return [Row(*values) for values in self._cursor.fetchall()]

    def backlog(self) -> tuple[int, float]:
        """How many events are unsent, and the age of the oldest in seconds."""
        self._cursor.execute(_BACKLOG)
        count, age = self._fetch_one()
        return int(count), float(age)

    def close(self) -> None:
        self._connection.close()

    def _fetch_one(self) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self._cursor.fetchone()
        assert row is not None  # noqa: S101  an aggregate always has a row
        return row


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
