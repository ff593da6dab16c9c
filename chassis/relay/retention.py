"""Keeps the history's partitions: makes those of the months to come, drops what is older than asked for.

Replays that finished long ago go, too.
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.errors import LockNotAvailable, QueryCanceled

from chassis import history
from chassis.postgres import TCP_LIMITS

log = logging.getLogger(__name__)

_PARTITIONS = """
SELECT relname, inhrelid IS NOT NULL, coalesce(inhdetachpending, false)
FROM pg_class LEFT JOIN pg_inherits ON inhrelid = pg_class.oid
WHERE relkind = 'r' AND relname ~ '^outbox_[0-9]{4}_[0-9]{2}$' AND pg_table_is_visible(pg_class.oid) ORDER BY relname
"""
_IS_NEEDED = """
SELECT EXISTS (SELECT FROM {partition} WHERE position IS NULL)
    OR (SELECT max(position) FROM {partition}) > (SELECT min(position) FROM replays WHERE finished_at IS NULL)
"""
_REMEMBER = "UPDATE history SET dropped = greatest(dropped, (SELECT max(position) FROM {partition}))"
_PRUNE_REPLAYS = """
DELETE FROM replays WHERE id IN (
    SELECT id FROM replays WHERE finished_at < now() - interval '90 days' ORDER BY finished_at LIMIT 1000
)
"""


@dataclass(frozen=True, slots=True)
class Partition:
    """One month's table. A crash may have left it detached, or half so."""

    name: str
    is_attached: bool
    is_detaching: bool


class Retention:
    """`months` are the whole months kept before the running one; None keeps everything."""

    def __init__(self, database_url: str, months: int | None) -> None:
        self._url = database_url
        self._months = months

    def keep(self) -> None:
        """Nobody's insert waits for this: where a lock is not to be had, it is left for the next time."""
        with closing(psycopg2.connect(self._url, application_name="onehall-relay-history", **TCP_LIMITS)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("SET lock_timeout = '1s'; SET statement_timeout = '30s'")
            cursor.execute(_PARTITIONS)
            partitions = [Partition(*row) for row in cursor.fetchall()]
            today = datetime.now(UTC).date()
            try:
                self._make_ahead(cursor, {partition.name for partition in partitions}, today)
                self._drop_old(cursor, partitions, today)
                cursor.execute(_PRUNE_REPLAYS)
            except (LockNotAvailable, QueryCanceled) as error:
                log.warning("the history's partitions are in use (%r); trying again later", error)

    def _make_ahead(self, cursor: Any, existing: set[str], today: date) -> None:
        for month in history.months(today, history.after(today, history.MONTHS_AHEAD)):
            if history.partition(month) not in existing:
                cursor.execute(";".join(("BEGIN", *history.make_partition(month), "COMMIT")))
                log.info("made %s", history.partition(month))

    def _drop_old(self, cursor: Any, partitions: list[Partition], today: date) -> None:
        if self._months is None:
            return
        kept_from = history.after(today, -self._months)
        for partition in partitions:
            if history.month_of(partition.name) < kept_from:
                self._drop(cursor, partition)

    def _drop(self, cursor: Any, partition: Partition) -> None:
        if partition.is_attached and self._is_needed(cursor, partition):
            log.warning("%s is older than is kept, but still needed", partition.name)
            return
        _execute(cursor, _REMEMBER, partition)
        if partition.is_detaching:
            _execute(cursor, "ALTER TABLE outbox DETACH PARTITION {partition} FINALIZE", partition)
        elif partition.is_attached:
            _execute(cursor, "ALTER TABLE outbox DETACH PARTITION {partition} CONCURRENTLY", partition)
        _execute(cursor, "DROP TABLE {partition}", partition)
        log.info("dropped %s", partition.name)

    def _is_needed(self, cursor: Any, partition: Partition) -> bool:
        """Whether it has events that are not published, or that an open replay has not sent."""
        _execute(cursor, _IS_NEEDED, partition)
        return bool(cursor.fetchone()[0])


def _execute(cursor: Any, statement: str, partition: Partition) -> None:
    cursor.execute(sql.SQL(statement).format(partition=sql.Identifier(partition.name)))
