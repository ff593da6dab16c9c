"""Whom a case can be assigned to: officers that have been seen at their department's work.

Accounts are another service's. What is needed of them here is what each call says of its actor anyway.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput
from services.cases.crossing.domain import significant
from services.cases.work.case import Case
from services.cases.work.states import OFFICER

REMEMBERED: Final = timedelta(days=90)
MAX_NAME: Final = 60
_SEEN_AGAIN: Final = timedelta(hours=12)

# nothing is written while it is known
_SEE = text(
    """
    INSERT INTO case_staff (subject, department, area, seen_at)
    SELECT :subject, :department, :area, :now
    WHERE NOT EXISTS (
        SELECT FROM case_staff
        WHERE subject = :subject AND department = :department AND area = :area AND seen_at > :lately
    )
    ON CONFLICT (subject) DO UPDATE
    SET department = excluded.department, area = excluded.area, seen_at = excluded.seen_at
    """
)
_COLLEAGUES = text(
    "SELECT subject, name FROM case_staff"
    " WHERE department = :department AND starts_with(:region, area) AND seen_at > :since ORDER BY subject LIMIT 200"
)
_IS_COLLEAGUE = text(
    "SELECT FROM case_staff"
    " WHERE subject = :subject AND department = :department AND starts_with(:region, area) AND seen_at > :since"
)


_NAME = text("UPDATE case_staff SET name = :name WHERE subject = :subject AND name IS DISTINCT FROM :name")


def see(session: Session, actor: Actor, now: datetime) -> None:
    if actor.has_role(OFFICER) and actor.department and actor.subject and actor.act is None:
        values = {"subject": actor.subject, "department": actor.department, "now": now, "lately": now - _SEEN_AGAIN}
        session.execute(_SEE, values | {"area": significant(actor.region) if actor.region else ""})


def name(session: Session, actor: Actor, name: str | None) -> None:
    """What their colleagues call them, where the caller says so: lists show it instead of an account's identifier."""
    if name:
        session.execute(_NAME, {"subject": actor.subject, "name": name[:MAX_NAME]})


def list_colleagues(session: Session, case: Case, now: datetime) -> list[dict[str, str]]:
    """The officers that a case can be assigned to, each with `subject` and `name` (the subject, if none is known)."""
    values = {"department": case.handled_by, "region": case.region, "since": now - REMEMBERED}
    rows = session.execute(_COLLEAGUES, values)
    return [{"subject": row.subject, "name": row.name or row.subject} for row in rows]


def require_colleague(session: Session, subject: str, case: Case, now: datetime) -> None:
    """Raise `InvalidInput` unless the account is an officer's of the department that handles it, there."""
    values = {"subject": subject, "department": case.handled_by, "region": case.region, "since": now - REMEMBERED}
    if session.execute(_IS_COLLEAGUE, values).one_or_none() is None:
        raise InvalidInput([Fault(pointer="/to", rule="colleague", value=True)])
