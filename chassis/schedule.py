"""Scheduled events: what has to happen at a time, kept in the service's own database.

The need is a row in the transaction that makes it, and a row is run in the transaction of what it causes. So it runs
once, whatever dies; whichever replica is free takes it (`chassis.timer.on_due`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from chassis import context, metrics
from chassis.database import Database, Session

log = logging.getLogger(__name__)

BATCH = 100
"""How many one replica runs in one go; the rest waits for the next one."""

RETRY_DELAYS = (10, 60, 300, 1_800, 3_600)
"""Seconds until a failed one is tried again; the last one repeats, for it is never given up."""


@dataclass(frozen=True, slots=True)
class Due:
    """What was asked for: `key` says for what (a case number), `data` is JSON without personal data."""

    key: str
    due_at: datetime
    data: dict[str, Any]


Handler = Callable[[Session, Due], None]

# asked for again under the same key, it moves
_AT = text(
    """
    INSERT INTO schedule (name, key, due_at, next_at, data, traceparent, correlation_id)
    VALUES (:name, :key, :due_at, :due_at, :data, :traceparent, :correlation_id)
    ON CONFLICT (name, key) DO UPDATE SET
        due_at = excluded.due_at,
        next_at = excluded.next_at,
        attempts = 0,
        data = excluded.data,
        traceparent = excluded.traceparent,
        correlation_id = excluded.correlation_id
    """
)
_CANCEL = text("DELETE FROM schedule WHERE name = :name AND key = :key")
# a row that another replica has in hand is passed over
_TAKE = text(
    """
    SELECT id, key, due_at, attempts, data, traceparent, correlation_id FROM schedule
    WHERE name = :name AND next_at <= :now ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)
# a handler may ask again under its own name and key: then the row has moved, and stays
_DONE = text("DELETE FROM schedule WHERE id = :id AND due_at = :due_at")
_FAILED = text("UPDATE schedule SET attempts = attempts + 1, next_at = :next_at WHERE id = :id")
_OVERDUE = text(
    "SELECT count(*) FILTER (WHERE attempts > 0), min(due_at) FROM schedule WHERE name = :name AND due_at <= :now"
)


def at(session: Session, due_at: datetime, name: str, key: str, data: Mapping[str, Any]) -> None:
    """Let the handler of `name` run once, not before `due_at`. There is one for each name and key.

    Its handler may move it to another time, and is then run again.
    """
    values = {"name": name, "key": key, "due_at": due_at, "data": json.dumps(dict(data))}
    trace = {"traceparent": context.traceparent.get(), "correlation_id": context.correlation_id.get()}
    session.execute(_AT, values | trace)


def cancel(session: Session, name: str, key: str) -> bool:
    """Whether it was still to come. While it is running, wait for it.

    Call it before the rows that its handler locks are locked, or the two may wait for each other.
    """
    return bool(session.execute(_CANCEL, {"name": name, "key": key}).rowcount)


def run_due(database: Database, service: str, name: str, handler: Handler, now: datetime) -> int:
    """Run what is due, each in a transaction of its own; how many were run, well or not.

    A handler that raises is undone and tried again later; the others go on.
    """
    count = 0
    while count < BATCH and _run_next(database, service, name, handler, now):
        count += 1
    _measure(database, service, name, now)
    return count


def _run_next(database: Database, service: str, name: str, handler: Handler, now: datetime) -> bool:
    with database.transaction() as session:
        row = session.execute(_TAKE, {"name": name, "now": now}).one_or_none()
        if row is None:
            return False
        context.enter(row.correlation_id, row.traceparent)
        outcome = _run(session, name, row, handler, now)
    # counted once it is committed
    metrics.scheduled.labels(service, name, outcome).inc()
    if outcome == "done":
        metrics.scheduled_lateness_seconds.labels(service, name).observe((now - row.due_at).total_seconds())
    return True


def _run(session: Session, name: str, row: Row[Any], handler: Handler, now: datetime) -> str:
    try:
        with session.begin_nested():
            handler(session, Due(row.key, row.due_at, json.loads(row.data)))
    except Exception:
        if session.invalidated:
            # the database went away: no fault of this one, and nothing can be written now
            raise
        log.exception("scheduled %s of %s failed at attempt %d", name, row.key, row.attempts + 1)
        delay = RETRY_DELAYS[min(row.attempts, len(RETRY_DELAYS) - 1)]
        session.execute(_FAILED, {"id": row.id, "next_at": now + timedelta(seconds=delay)})
        return "failed"
    session.execute(_DONE, {"id": row.id, "due_at": row.due_at})
    log.info("scheduled %s of %s is done", name, row.key)
    return "done"


def _measure(database: Database, service: str, name: str, now: datetime) -> None:
    with database.transaction() as session:
        failing, oldest = session.execute(_OVERDUE, {"name": name, "now": now}).one()
    metrics.schedule_failing.labels(service, name).set(failing)
    metrics.schedule_oldest_seconds.labels(service, name).set((now - oldest).total_seconds() if oldest else 0)
