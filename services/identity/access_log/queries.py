"""The access log as the citizen reads it, and as an auditor does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from contracts import access
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotPermitted
from services.identity.access_log import paging, store
from services.identity.access_log.commands import note_look
from services.identity.access_log.domain import Look
from services.identity.domain import is_text
from services.identity.staff.domain import require_auditor

_AUDITOR = "auditor"


def list_entries(
    session: Session,
    actor: Actor,
    subject: str | None,
    *,
    number: str | None,
    cursor: str | None,
    limit: int | None,
    now: datetime,
) -> dict[str, Any]:
    """One's own entries, newest first, of the case `number` if that is given; for an auditor, those of `subject`.

    An auditor's look is an entry, too. Raise `NotPermitted`, also for who acts for somebody else.
    """
    account = _require_reader(actor, subject)
    size, before = paging.require_limit(limit), paging.read_cursor(cursor)
    if number is not None and not is_text(number):
        raise InvalidInput([Fault(pointer="/number", rule="format", value=None)])
    is_audit = account != actor.subject
    if is_audit:
        look = Look.by(actor, account, access.ACCESS_LOG, role=_AUDITOR, purpose=access.AUDIT)
        note_look(session, look, now)
    rows = store.list_of(session, account, number, before, size + 1)
    return {
        "items": [_entry_view(row, is_audit) for row in rows[:size]],
        "next": paging.cursor(rows[size - 1].at, rows[size - 1].id) if len(rows) > size else None,
    }


def _require_reader(actor: Actor, subject: str | None) -> str:
    """Whose log it is."""
    own = require_self(actor, "list_access_log")
    if subject is None or subject == own:
        return own
    if not actor.has_role(_AUDITOR):
        raise NotPermitted("list_access_log")
    if not is_text(subject):
        raise InvalidInput([Fault(pointer="/subject", rule="format", value=None)])
    return subject


def require_self(actor: Actor, what: str) -> str:
    """The account of a person who speaks for themselves. Raise `NotPermitted`."""
    is_person = bool(actor.subject) and actor.subject != actor.client
    if not is_person or actor.act is not None:
        raise NotPermitted(what)
    return actor.subject


def _entry_view(row: Any, is_audit: bool) -> dict[str, Any]:
    """The citizen reads which department and in which role; who exactly it was is for auditors."""
    shown = {
        "id": row.id,
        "at": row.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "role": row.role,
        "name": row.agent_name,
        "department": row.department,
        "channel": row.channel,
        "client": row.client_name or row.client,
        "client_id": row.client,
        "what": row.what,
        "number": row.number,
        "purpose": row.purpose,
        "hall": row.hall,
        "detail": row.detail,
    }
    return shown | ({"viewer": row.viewer} if is_audit else {})


def list_staff_changes(
    session: Session, actor: Actor, cursor: str | None, limit: int | None, now: datetime
) -> dict[str, Any]:
    """All changes of staff, newest first, for auditors; with the user names of both, where they have one.

    That they were read stands in the auditor's own log: it is about many accounts.
    """
    require_auditor(actor)
    size, before = paging.require_limit(limit), paging.read_cursor(cursor)
    note_look(session, Look.by(actor, actor.subject, access.ACCESS_LOG, role=_AUDITOR, purpose=access.AUDIT), now)
    rows = store.list_staff_changes(session, before, size + 1)
    return {
        "items": [_change_view(row) for row in rows[:size]],
        "next": paging.cursor(rows[size - 1].at, rows[size - 1].id) if len(rows) > size else None,
    }


def _change_view(row: Any) -> dict[str, Any]:
    return {
        "at": row.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "account": row.username or row.account,
        "by": row.by or row.viewer,
        "channel": row.channel,
        "detail": row.detail,
    }
