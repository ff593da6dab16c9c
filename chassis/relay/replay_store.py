"""Subscriptions, replays and queue positions in the publisher's database, on a connection beside the leader's."""

from __future__ import annotations

import select
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod
from typing import Any

import psycopg2

from chassis.postgres import TCP_LIMITS
from chassis.relay.handled import Mark
from chassis.relay.messages import Row
from contracts import filters, topology
from contracts.filters import ANY

SPAN = 20_000
"""Positions looked through in one statement, however few of them match."""

MOST_POSITIONS = 3 * SPAN
"""Looked back through for the age of what waits."""

_SUBSCRIPTIONS = "SELECT owner, name, patterns FROM subscriptions WHERE ended_at IS NULL ORDER BY created_at"
_ENDED = "SELECT id::text, owner, name FROM subscriptions WHERE ended_at IS NOT NULL AND removed_at IS NULL"
_OPEN = (
    "SELECT id::text, queue, position, until, requested_at FROM replays WHERE finished_at IS NULL ORDER BY requested_at"
)
_READ = (
    "SELECT position, id, event_id::text, routing_key, body, created_at FROM outbox"
    " WHERE position > %s AND position <= %s AND {heard} ORDER BY position LIMIT %s"
)
_READ_BACK = (
    "SELECT position, created_at FROM outbox"
    " WHERE position > %s AND position <= %s AND {heard} ORDER BY position DESC LIMIT %s"
)
_KNOW = (
    "INSERT INTO queue_positions (queue, position, waiting, looked_at, handled) VALUES (%s, %s, 0, now(), %s)"
    " ON CONFLICT (queue) DO NOTHING"
)
_SAVE_LOOKS = (
    "UPDATE queue_positions SET position = %s, waiting = new.waiting, looked_at = now()"
    " FROM unnest(%s::text[], %s::bigint[]) AS new (queue, waiting) WHERE queue_positions.queue = new.queue"
)
_SAVE_MARKS = (
    "UPDATE queue_positions SET handled = new.handled, except_last = new.except_last"
    " FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS new (queue, handled, except_last)"
    " WHERE queue_positions.queue = new.queue"
)
_FINISH = "UPDATE replays SET position = %s, finished_at = now() WHERE id = %s"
_START_OVER = (
    "UPDATE replays SET position = least(position, %s) WHERE queue = %s AND NOT is_repeat AND finished_at IS NULL"
)
_ADD = "INSERT INTO replays (queue, position, is_repeat, reason) VALUES (%s, %s, false, %s)"


@dataclass(frozen=True, slots=True)
class Replay:
    """One that is open. It has sent what lies up to `position`; with `until` it is a range again, else it goes live."""

    id: str
    queue: str
    position: int
    until: int | None
    requested_at: datetime

    @property
    def is_repeat(self) -> bool:
        return self.until is not None


@dataclass(frozen=True, slots=True)
class Known:
    """A queue that was made once: how far it is handled, and the last event for which it stood whole."""

    handled: Mark
    intact: int


class ReplayStore:
    """`url` is the publisher's database. Hears `NOTIFY replays`."""

    def __init__(self, url: str, source: str) -> None:
        self._source = source
        self._connection = psycopg2.connect(url, application_name="onehall-relay-replays", **TCP_LIMITS)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        # always by position, in order: the planner does not know how few events a filter lets through
        self._cursor.execute("SET statement_timeout = '30s'; SET enable_sort = off")
        self._cursor.execute("LISTEN replays")

    def wait(self, seconds: float) -> None:
        """Until somebody asks for a replay, or so long."""
        select.select([self._connection], [], [], seconds)
        self._connection.poll()
        self._connection.notifies.clear()

    def close(self) -> None:
        self._connection.close()

    # queues

    def queues(self) -> dict[str, topology.Queue]:
        """Every queue that hears the source, the services' and the subscriptions', by name."""
        queues = list(topology.service_queues(self._source))
        if self._source == topology.SUBSCRIBABLE:
            queues += [topology.subscription_queue(*row) for row in self._rows(_SUBSCRIPTIONS)]
        return {queue.name: queue for queue in queues}

    def ended(self) -> list[tuple[str, topology.Queue]]:
        """Ids and queues of the subscriptions that have ended and whose queues are still there."""
        if self._source != topology.SUBSCRIBABLE:
            return []
        return [(id_, topology.subscription_queue(owner, name)) for id_, owner, name in self._rows(_ENDED)]

    def forget(self, subscription: str, queue: topology.Queue) -> None:
        """Its queue is deleted."""
        self._cursor.execute(
            "UPDATE replays SET finished_at = now() WHERE queue = %s AND finished_at IS NULL", (queue.name,)
        )
        self._cursor.execute("DELETE FROM queue_positions WHERE queue = %s", (queue.name,))
        self._cursor.execute("UPDATE subscriptions SET removed_at = now() WHERE id = %s", (subscription,))

    def known(self) -> dict[str, Known]:
        rows = self._rows("SELECT queue, handled, except_last, position FROM queue_positions")
        return {queue: Known(Mark(handled, except_last), position) for queue, handled, except_last, position in rows}

    def knows(self, queue: str) -> bool:
        return bool(self._rows("SELECT FROM queue_positions WHERE queue = %s", queue))

    def know(self, queue: str, position: int) -> None:
        """It is made now and hears what is behind `position`; nothing happens if it was known."""
        self._cursor.execute(_KNOW, (queue, position, position))

    def save_looks(self, waiting: Mapping[str, int], position: int) -> None:
        """These queues stand whole, with all events up to `position`, and so many of them waiting in each."""
        self._cursor.execute(_SAVE_LOOKS, (position, list(waiting), list(waiting.values())))

    def save_marks(self, marks: Mapping[str, Mark]) -> None:
        handled = [mark.position for mark in marks.values()]
        except_last = [mark.except_last for mark in marks.values()]
        self._cursor.execute(_SAVE_MARKS, (list(marks), handled, except_last))

    # replays

    def open_replays(self) -> list[Replay]:
        """The oldest first."""
        return [Replay(*row) for row in self._rows(_OPEN)]

    def restore(self, queue: str, position: int, reason: str) -> None:
        """Let a queue go live from `position`, or from there once more if it is going live already."""
        self._cursor.execute(_START_OVER, (position, queue))
        if not self._cursor.rowcount:
            self._cursor.execute(_ADD, (queue, position, reason))

    def advance(self, replay: Replay, position: int) -> None:
        self._cursor.execute("UPDATE replays SET position = %s WHERE id = %s", (position, replay.id))

    def finish(self, replay: Replay, position: int) -> None:
        self._cursor.execute(_FINISH, (position, replay.id))

    # the history

    def dropped(self) -> int:
        """The position up to which there is no history any more."""
        return int(self._rows("SELECT dropped FROM history")[0][0])

    def read(self, queue: topology.Queue, after: int, until: int, limit: int) -> tuple[list[Row], int]:
        """What the queue hears of the events behind `after` up to `until`, and how far this looked.

        At most `limit` events, from at most `SPAN` positions.
        """
        end = min(until, after + SPAN)
        heard, values = heard_by(queue.patterns)
        rows = self._rows(_READ.format(heard=heard), after, end, *values, limit)
        return [Row(*row[1:]) for row in rows], rows[-1][0] if len(rows) == limit else end

    def handled(self, queue: topology.Queue) -> int:
        """The position up to which everything is surely handled, as far as that was saved."""
        mark = self.known()[queue.name].handled
        if not mark.except_last:
            return mark.position
        last = self._count_back(queue, mark.position, mark.except_last, first=0)
        return int(last[0]) if last else 0

    def saved_at(self, queue: topology.Queue, position: int, count: int) -> datetime | None:
        """When that event of the queue was saved behind which `count - 1` more come up to `position`.

        None if it is more than `MOST_POSITIONS` ago.
        """
        if count > MOST_POSITIONS:
            return None
        row = self._count_back(queue, position, count - 1, first=position - MOST_POSITIONS)
        return row[1] if row else None

    def _count_back(self, queue: topology.Queue, position: int, count: int, first: int) -> tuple[int, datetime] | None:
        """Position and time of the event of the queue behind which `count` more come, if it lies behind `first`."""
        heard, values = heard_by(queue.patterns)
        read_back = _READ_BACK.format(heard=heard)
        while position > max(first, 0):
            limit = min(count, SPAN) + 1
            rows: list[tuple[int, datetime]] = self._rows(read_back, position - SPAN, position, *values, limit)
            if count < len(rows):
                return rows[count]
            count -= len(rows)
            position -= SPAN
        return None

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        self._cursor.execute(statement, values or None)
        rows: list[Any] = self._cursor.fetchall()
        return rows


def heard_by(patterns: Sequence[str]) -> tuple[str, list[object]]:
    """What holds for an event of which the patterns let a routing key through: SQL, and its values.

    An event has its own `routing_key`, and a few have others, of which the same is asked. A subscription's patterns are
    every combination of some parts, so each part is looked up by itself: a regular expression of 500 alternatives costs
    PostgreSQL a millisecond and more for every event that is looked through.
    """
    heard, values = _heard_by(patterns)
    others = f"EXISTS (SELECT FROM unnest(other_keys) AS other (routing_key) WHERE {heard})"
    return f"(({heard}) OR (other_keys IS NOT NULL AND {others}))", [*values, *values]


def _heard_by(patterns: Sequence[str]) -> tuple[str, list[object]]:
    """The same of the key that is called `routing_key`."""
    split = [pattern.split(".") for pattern in patterns]
    return (
        _each_by_itself(split, 1)
        # not every combination of their words, but of their types (`case.closed`, `evidence.requested`)
        or _each_by_itself(split, 2)
        or ("'.' || routing_key ~ %s", [f"^({'|'.join(map(filters.to_regex, patterns))})$"])
    )


def _each_by_itself(split: Sequence[Sequence[str]], words_of_first: int) -> tuple[str, list[object]] | None:
    """The same of patterns that are every combination of their parts, of which the first has so many words."""
    parts = [[".".join(words[:words_of_first]), *words[words_of_first:]] for words in split]
    columns = [list(dict.fromkeys(column)) for column in zip(*parts, strict=False)]
    is_product = len({*map(len, split)}) == 1 and prod(map(len, columns)) == len({*map(tuple, split)})
    words = [word for column in columns if column != [ANY] for part in column for word in part.split(".")]
    if not is_product or ANY in words or "#" in words:
        return None
    places = [" || '.' || ".join(map(_word, range(words_of_first))), *map(_word, range(words_of_first, len(split[0])))]
    tests = [
        f"{place} <> ''" if column == [ANY] else f"{place} = ANY (%s)"
        for place, column in zip(places, columns, strict=True)
    ]
    return " AND ".join([*tests, f"{_word(len(split[0]))} = ''"]), [column for column in columns if column != [ANY]]


def _word(at: int) -> str:
    return f"split_part(routing_key, '.', {at + 1})"
