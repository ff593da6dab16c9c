"""Loading and saving what accounts are as staff."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select, text, update

from chassis.database import Session
from services.identity import tables
from services.identity.staff.domain import Post

_ACCOUNT = tables.accounts.c
_POST = (_ACCOUNT.roles, _ACCOUNT.department, _ACCOUNT.hall)


@dataclass(frozen=True, slots=True)
class Member:
    """An account under change: its row is locked."""

    subject: str
    username: str
    post: Post
    disabled_at: datetime | None


def lock_member(session: Session, username: str) -> Member | None:
    """By the name as `normalize_username` spells it. A closed account is nobody's.

    The lock lets rows refer to the account meanwhile: whoever adds one may hold what is ended next.
    """
    found = select(_ACCOUNT.subject, _ACCOUNT.username, _ACCOUNT.disabled_at, *_POST).where(
        _ACCOUNT.username == username, _ACCOUNT.closed_at.is_(None)
    )
    row = session.execute(found.with_for_update(key_share=True)).first()
    if row is None:
        return None
    return Member(row.subject, row.username, Post(tuple(row.roles), row.department, row.hall), row.disabled_at)


def get_username(session: Session, subject: str) -> str | None:
    return session.execute(select(_ACCOUNT.username).where(_ACCOUNT.subject == subject)).scalar()


def find_subject(session: Session, username: str) -> str | None:
    """As `lock_member` finds it."""
    is_open = (_ACCOUNT.username == username, _ACCOUNT.closed_at.is_(None))
    return session.execute(select(_ACCOUNT.subject).where(*is_open)).scalar()


def save_post(session: Session, subject: str, post: Post) -> None:
    session.execute(update(tables.accounts).where(_ACCOUNT.subject == subject).values(asdict(post)))


def set_disabled(session: Session, subject: str, at: datetime | None) -> None:
    session.execute(update(tables.accounts).where(_ACCOUNT.subject == subject).values(disabled_at=at))


def list_members(
    session: Session, after: str, limit: int, *, role: str | None = None, department: str | None = None
) -> list[Row[Any]]:
    """Staff, and everybody who is disabled, by user name from behind `after`."""
    # as the index says it
    is_meant = or_(_ACCOUNT.roles != text("'{}'"), _ACCOUNT.disabled_at.is_not(None))
    found = select(_ACCOUNT.subject, _ACCOUNT.username, _ACCOUNT.name, _ACCOUNT.disabled_at, *_POST).where(
        is_meant, _ACCOUNT.closed_at.is_(None), _ACCOUNT.username > after
    )
    if role is not None:
        found = found.where(_ACCOUNT.roles.contains([role]))
    if department is not None:
        found = found.where(_ACCOUNT.department == department)
    return list(session.execute(found.order_by(_ACCOUNT.username).limit(limit)))


def list_working(session: Session, role: str, department: str | None, limit: int) -> list[Row[Any]]:
    """Of those who work in this role, in the department if one is meant; nobody who is disabled or gone."""
    # the first condition as the index says it
    found = select(_ACCOUNT.subject, _ACCOUNT.hall).where(
        or_(_ACCOUNT.roles != text("'{}'"), _ACCOUNT.disabled_at.is_not(None)),
        _ACCOUNT.roles.contains([role]),
        _ACCOUNT.closed_at.is_(None),
        _ACCOUNT.disabled_at.is_(None),
    )
    if department is not None:
        found = found.where(_ACCOUNT.department == department)
    return list(session.execute(found.order_by(_ACCOUNT.subject).limit(limit)))


def load_shown(session: Session, subject: str) -> Any:
    """What an operator sees of one account."""
    browser, family = tables.browser_sessions, tables.token_families
    open_sessions = select(func.count()).where(browser.c.subject == subject).scalar_subquery()
    last = select(func.max(family.c.signed_in_at)).where(family.c.subject == subject).scalar_subquery()
    return session.execute(
        select(
            *(_ACCOUNT.subject, _ACCOUNT.username, _ACCOUNT.name, _ACCOUNT.assurance, *_POST),
            *(_ACCOUNT.registered_at, _ACCOUNT.disabled_at),
            open_sessions.label("sessions"),
            last.label("last_sign_in"),
        ).where(_ACCOUNT.subject == subject)
    ).one()
