"""The outbox as the history of events: one partition a month of `created_at` (UTC), each with its own guards.

A key of the whole table would have to hold `created_at` and so guard nothing. Within a month, sequences and positions
are guarded by the indexes that serve reading; across months a locked row and the one leader see to them. Ids come from
a sequence and event ids are random: two more indexes to guard those would cost more than all else about a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

LAST_POSITION = "SELECT greatest((SELECT max(position) FROM outbox), (SELECT dropped FROM history))"
"""Of the last event that the broker confirmed, also when the history is dropped up to it; 0 before the first."""

MONTHS_AHEAD = 3
"""Partitions made before they are needed: no relay has to run in these months for the services to go on."""


def partition(month: date) -> str:
    """The table of the month that `month`, its first day, begins."""
    return f"outbox_{month:%Y_%m}"


def month_of(partition_name: str) -> date:
    """The first day of a partition's month."""
    _, year, month = partition_name.split("_")
    return date(int(year), int(month), 1)


def after(month: date, count: int = 1) -> date:
    """The first day of the month `count` months later; earlier, if negative."""
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def months(first: date, last: date) -> Iterator[date]:
    """The first days of the months from that of `first` to that of `last`."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = after(month)


def make_partition(month: date) -> tuple[str, ...]:
    """The statements, for one transaction. Attaching an empty table waits for no insert and holds none up."""
    name = partition(month)
    bounds = f"FROM ('{month} 00:00+00') TO ('{after(month)} 00:00+00')"
    return (
        f"CREATE TABLE {name} (LIKE outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        f"ALTER TABLE {name} ADD PRIMARY KEY (subject, sequence), ADD UNIQUE (position)",
        f"ALTER TABLE outbox ATTACH PARTITION {name} FOR VALUES {bounds}",
    )
