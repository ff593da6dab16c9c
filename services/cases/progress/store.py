"""Which code of a case is good. A case without a row has its first one."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Session
from services.cases.progress.codes import Access
from services.cases.store import cases, metadata
from services.cases.work.case import Case

progress_access = Table(
    "progress_access",
    metadata,
    Column("number", Text, ForeignKey("cases.number"), primary_key=True),
    Column("renewals", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
)

_ACCESS = (func.coalesce(progress_access.c.renewals, 0), func.coalesce(progress_access.c.is_open, literal(True)))
_CASE = tuple(cases.c[field.name] for field in fields(Case))
_JOINED = cases.outerjoin(progress_access)


def find(session: Session, number: str) -> tuple[Case, Access] | None:
    statement = select(*_CASE, *_ACCESS).select_from(_JOINED).where(cases.c.number == number)
    row = session.execute(statement).one_or_none()
    return None if row is None else (Case(*row[:-2]), Access(*row[-2:]))


def load_access(session: Session, number: str) -> Access:
    row = session.execute(select(progress_access).where(progress_access.c.number == number)).one_or_none()
    return Access() if row is None else Access(row.renewals, row.is_open)


def renew(session: Session, number: str) -> Access:
    values = {"renewals": progress_access.c.renewals + 1, "is_open": True}
    return _save(session, number, Access(1, is_open=True), values)


def close(session: Session, number: str) -> None:
    """The code of before is not good again when a new one is asked for."""
    _save(session, number, Access(0, is_open=False), {"is_open": False})


def _save(session: Session, number: str, first: Access, changed: dict[str, Any]) -> Access:
    values = {"number": number, "renewals": first.renewals, "is_open": first.is_open}
    statement = insert(progress_access).values(values).on_conflict_do_update(index_elements=["number"], set_=changed)
    row = session.execute(statement.returning(progress_access.c.renewals, progress_access.c.is_open)).one()
    return Access(*row)
