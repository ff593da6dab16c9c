"""Loading and saving reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity.access_log.tables import entries
from services.identity.look_reports.tables import reports
from services.identity.tables import accounts

_SHOWN = (
    *(entries.c.at, entries.c.viewer, entries.c.client, entries.c.role, entries.c.department, entries.c.channel),
    *(entries.c.what, entries.c.number, entries.c.purpose, entries.c.hall, entries.c.detail),
)
_JOINED = reports.join(entries, entries.c.id == reports.c.entry)


def get_own_entry(session: Session, account: str, entry: str) -> Any | None:
    return session.execute(select(entries).where(entries.c.id == entry, entries.c.account == account)).first()


def add(session: Session, row: dict[str, Any]) -> bool:
    """False if its entry is reported already."""
    added = upsert(reports).values(row).on_conflict_do_nothing(index_elements=["entry"])
    return bool(session.execute(added).rowcount)


def list_of_entries(session: Session, entry_ids: Sequence[str]) -> list[Any]:
    found = select(reports).where(reports.c.entry.in_(entry_ids))
    return list(session.execute(found)) if entry_ids else []


def list_of_account(session: Session, account: str) -> list[Any]:
    """The newest 1,000; the newest first."""
    found = select(reports).where(reports.c.account == account).order_by(reports.c.reported_at.desc()).limit(1_000)
    return list(session.execute(found))


def lock(session: Session, report: str) -> Any | None:
    """With the entry that it is about."""
    found = select(reports, *_SHOWN).select_from(_JOINED).where(reports.c.id == report)
    return session.execute(found.with_for_update(of=reports)).first()


def get(session: Session, report: str) -> Any | None:
    """With the entry, and the user name of who looked if that is an account."""
    joined = _JOINED.outerjoin(accounts, accounts.c.subject == entries.c.viewer)
    found = select(reports, *_SHOWN, accounts.c.username.label("viewer_name")).select_from(joined)
    return session.execute(found.where(reports.c.id == report)).first()


def save_answer(session: Session, report: str, answer: bytes, auditor: str, now: datetime) -> None:
    said = {"answer": answer, "answered_at": now, "answered_by": auditor}
    session.execute(update(reports).where(reports.c.id == report).values(said))


def list_open(session: Session, after: tuple[datetime, str] | None, limit: int) -> list[Any]:
    """The oldest first, which is due first."""
    place = tuple_(reports.c.reported_at, reports.c.id)
    found = select(reports, *_SHOWN).select_from(_JOINED).where(reports.c.answered_at.is_(None))
    if after is not None:
        found = found.where(place > after)
    return list(session.execute(found.order_by(reports.c.reported_at, reports.c.id).limit(limit)))


def list_answered(session: Session, before: tuple[datetime, str] | None, limit: int) -> list[Any]:
    """The newest first."""
    place = tuple_(reports.c.answered_at, reports.c.id)
    found = select(reports, *_SHOWN).select_from(_JOINED).where(reports.c.answered_at.is_not(None))
    if before is not None:
        found = found.where(place < before)
    return list(session.execute(found.order_by(reports.c.answered_at.desc(), reports.c.id.desc()).limit(limit)))


def count_open(session: Session, now: datetime) -> tuple[int, int]:
    """How many wait for an answer, and how many of them for longer than they should."""
    late = func.count().filter(reports.c.due_at < now)
    row = session.execute(select(func.count(), late).where(reports.c.answered_at.is_(None))).one()
    return int(row[0]), int(row[1])
