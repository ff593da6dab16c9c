"""Notices that are due, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, bindparam, delete, func, select, text, update

from chassis.database import Session
from services.identity.sessions.tables import logout_notices

# a place is taken from each client, so that one that does not answer does not hold up the others. Whoever else sends
# just then finds these rows locked, and afterwards not due
_CLAIM = text(
    """
    UPDATE logout_notices SET attempts = attempts + 1, next_attempt_at = :taken_until
    WHERE id IN (
        SELECT due.id FROM clients
        LEFT JOIN unnest(CAST(:busy AS text[]), CAST(:taken AS int[])) AS under_way (client, places)
            ON client = clients.id
        CROSS JOIN LATERAL (
            SELECT id, next_attempt_at FROM logout_notices
            WHERE client_id = clients.id AND next_attempt_at <= :now
            ORDER BY next_attempt_at, id LIMIT greatest(0, :each - coalesce(places, 0))
            FOR UPDATE SKIP LOCKED
        ) AS due
        WHERE clients.backchannel_logout_uri IS NOT NULL AND NOT clients.is_disabled
        ORDER BY due.next_attempt_at LIMIT :most
    )
    RETURNING id, client_id, subject, sid, attempts
    """
).bindparams(bindparam("now", type_=DateTime(timezone=True)), bindparam("taken_until", type_=DateTime(timezone=True)))


@dataclass(frozen=True, slots=True)
class Notice:
    """That a session of the person has ended, for one client. `attempts` counts the one that it was taken for."""

    id: str
    client_id: str
    subject: str
    sid: str
    attempts: int


def claim(
    session: Session, now: datetime, taken_until: datetime, busy: Mapping[str, int], each: int, most: int
) -> list[Notice]:
    """Take what is due until `taken_until`: whoever dies with it before it is settled leaves it to the next one.

    `busy` says how many are under way to a client already; there are to be `each` at most, and `most` new ones in all.
    """
    values = {"busy": list(busy), "taken": list(busy.values()), "each": each, "most": most}
    rows = session.execute(_CLAIM, values | {"now": now, "taken_until": taken_until})
    return [Notice(**row._mapping) for row in rows]


def remove(session: Session, notices: Collection[str]) -> None:
    session.execute(delete(logout_notices).where(logout_notices.c.id.in_(notices)))


def put_off(session: Session, until: Mapping[str, datetime]) -> None:
    row = logout_notices.c
    statement = update(logout_notices).where(row.id == bindparam("notice")).values(next_attempt_at=bindparam("until"))
    session.execute(statement, [{"notice": notice, "until": moment} for notice, moment in until.items()])


def measure(session: Session) -> tuple[int, Any]:
    """How many wait, and since when the oldest does."""
    row = logout_notices.c
    count, oldest = session.execute(select(func.count(), func.min(row.created_at))).one()
    return count, oldest
