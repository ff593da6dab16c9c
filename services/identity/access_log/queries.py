"""The access log as the citizen reads it, and as an auditor does."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.database import Session
from contracts import access
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotPermitted
from services.identity.access_log import store
from services.identity.access_log.commands import note_look
from services.identity.access_log.domain import Look
from services.identity.domain import is_text

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
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
    size, before = _require_limit(limit), _read_cursor(cursor)
    if number is not None and not is_text(number):
        raise InvalidInput([Fault(pointer="/number", rule="format", value=None)])
    is_audit = account != actor.subject
    if is_audit:
        look = Look.by(actor, account, access.ACCESS_LOG, role=_AUDITOR, purpose=access.AUDIT)
        note_look(session, look, now)
    rows = store.list_of(session, account, number, before, size + 1)
    return {
        "items": [_entry_view(row, is_audit) for row in rows[:size]],
        "next": _cursor(rows[size - 1]) if len(rows) > size else None,
    }


def _require_reader(actor: Actor, subject: str | None) -> str:
    """Whose log it is."""
    is_person = bool(actor.subject) and actor.subject != actor.client
    speaks_for_itself = getattr(actor, "act", None) is None
    if not is_person or not speaks_for_itself:
        raise NotPermitted("list_access_log")
    if subject is None or subject == actor.subject:
        return actor.subject
    if not actor.has_role(_AUDITOR):
        raise NotPermitted("list_access_log")
    if not is_text(subject):
        raise InvalidInput([Fault(pointer="/subject", rule="format", value=None)])
    return subject


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


def _require_limit(limit: int | None) -> int:
    if limit is None:
        return DEFAULT_LIMIT
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput([Fault(pointer="/limit", rule="maximum", value=MAX_LIMIT)])
    return limit


def _cursor(row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.at.isoformat(), row.id]).encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        at, entry_id = json.loads(base64.urlsafe_b64decode(cursor))
        return datetime.fromisoformat(at).astimezone(UTC), str(UUID(entry_id))
    # OverflowError: a day before the first; RecursionError: brackets without end
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput([Fault(pointer="/cursor", rule="cursor", value=None)]) from None
