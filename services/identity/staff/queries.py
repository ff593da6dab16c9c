"""Accounts as who manages them sees them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chassis.database import Session
from contracts import access
from contracts.actors import STAFF_ROLES, Actor
from contracts.errors import Fault, InvalidInput, NotFound, NotPermitted
from services.identity.access_log.commands import note_look
from services.identity.domain import normalize_username
from services.identity.staff import store
from services.identity.staff.domain import OPERATOR, Hand

A_BATCH = 500
MOST_TOLD = 100


def list_members(
    session: Session, *, role: str | None = None, department: str | None = None, batch: int = A_BATCH
) -> Iterator[dict[str, Any]]:
    """Staff and disabled accounts, by user name, a batch at a time."""
    after: str | None = ""
    while after is not None:
        rows = store.list_members(session, after, batch, role=role, department=department)
        for row in rows:
            yield _plain(row)
        after = rows[-1].username if len(rows) == batch else None


def list_page(
    session: Session, role: str | None, department: str | None, after: str | None, limit: int
) -> dict[str, Any]:
    """The same as a page: those behind the user name `after`. `next` is the last one's, if there are more."""
    rows = store.list_members(session, after or "", limit + 1, role=role, department=department)
    following = rows[limit - 1].username if len(rows) > limit else None
    return {"items": [_plain(row) for row in rows[:limit]], "next": following}


def list_working(session: Session, actor: Actor, role: str, department: str | None) -> list[dict[str, str | None]]:
    """Who works in this role, in this department if one is named: `subject` and `hall`, for what is told to staff.

    Raise `NotPermitted` for all but a program that may ask for contacts, `InvalidInput` for what is no role.
    """
    if not actor.has_scope("contacts") or actor.subject != actor.client:
        raise NotPermitted("list_staff_of")
    if role not in STAFF_ROLES:
        raise InvalidInput([Fault(pointer="/role", rule="enum", value=list(STAFF_ROLES))])
    rows = store.list_working(session, role, department, MOST_TOLD)
    return [{"subject": row.subject, "hall": row.hall} for row in rows]


def find(session: Session, username: str) -> str:
    """The subject. Raise `NotFound`."""
    subject = store.find_subject(session, normalize_username(username) or "")
    if subject is None:
        raise NotFound("account", username)
    return subject


def name_of(session: Session, subject: str) -> str:
    """The user name. Raise `NotFound`."""
    username = store.get_username(session, subject)
    if username is None:
        raise NotFound("account", subject)
    return username


def show(session: Session, hand: Hand, username: str, now: datetime) -> dict[str, Any]:
    """One account. Raise `NotFound`. Of a citizen it is a look, and in their access log."""
    member = store.lock_member(session, normalize_username(username) or "")
    if member is None:
        raise NotFound("account", username)
    if not member.post.roles:
        look = hand.look(member.subject, access.PROFILE, role=OPERATOR, purpose=access.ADMINISTRATION)
        note_look(session, look, now)
    return _plain(store.load_shown(session, member.subject))


def _plain(row: Any) -> dict[str, Any]:
    return {name: _value(value) for name, value in row._mapping.items()}


def _value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else list(value) if isinstance(value, tuple) else value
