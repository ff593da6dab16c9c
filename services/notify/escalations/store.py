"""Escalations that wait until it is known who has the role, one row each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import text

from chassis.database import Session


@dataclass(frozen=True, slots=True)
class Escalation:
    """`department` is the one that has the case in hand; of a role of the platform's own it is told, not asked for."""

    event_id: str
    number: str
    item: str
    department: str
    role: str
    at: datetime
    region: str | None = None


_FIELDS = tuple(field.name for field in fields(Escalation))
_ADD = text(
    "INSERT INTO escalations (event_id, number, item, department, role, at, region)"
    " VALUES (CAST(:event_id AS uuid), :number, :item, :department, :role, :at, :region) ON CONFLICT DO NOTHING"
)
# a CTE, since a joined subselect with LIMIT and FOR UPDATE may run more than once
_CLAIM = text(
    """
    WITH due AS (
        SELECT event_id FROM escalations WHERE next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE escalations AS e SET next_attempt_at = now() + make_interval(secs => :lease)
    FROM due WHERE e.event_id = due.event_id
    RETURNING CAST(e.event_id AS text) AS event_id, e.number, e.item, e.department, e.role, e.at, e.region
    """
)
_LATER = text(
    "UPDATE escalations SET next_attempt_at = now() + make_interval(secs => :seconds)"
    " WHERE event_id = ANY (CAST(:ids AS uuid[]))"
)
_REMOVE = text("DELETE FROM escalations WHERE event_id = CAST(:event_id AS uuid)")


def add(session: Session, escalation: Escalation) -> None:
    session.execute(_ADD, {name: getattr(escalation, name) for name in _FIELDS})


def claim(session: Session, limit: int, lease_seconds: int) -> list[Escalation]:
    """What is due, the oldest first, past what other replicas have taken; it comes again if nobody removes it."""
    found = session.execute(_CLAIM, {"limit": limit, "lease": lease_seconds})
    return sorted((Escalation(**row) for row in found.mappings()), key=lambda each: each.at)


def put_off(session: Session, ids: Collection[str], seconds: float) -> None:
    session.execute(_LATER, {"ids": list(ids), "seconds": seconds})


def remove(session: Session, event_id: str) -> bool:
    """Whether it was still there: two that hold it tell it once."""
    return bool(session.execute(_REMOVE, {"event_id": event_id}).rowcount)
