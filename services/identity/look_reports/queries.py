"""Reports as the citizen reads them in their log, and as auditors do."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotFound
from services.identity.access_log import paging
from services.identity.look_reports import store
from services.identity.look_reports.commands import note_reading
from services.identity.look_reports.domain import ANSWERED, OPEN, STATES
from services.identity.sealing import Seal, SealedOtherwise
from services.identity.staff.domain import require_auditor


def add_reports(session: Session, seal: Seal, page: dict[str, Any]) -> dict[str, Any]:
    """Entries of one's own log, each with its `report` or None."""
    found = {
        row.entry: _own_view(seal, row) for row in store.list_of_entries(session, [e["id"] for e in page["items"]])
    }
    return page | {"items": [entry | {"report": found.get(entry["id"])} for entry in page["items"]]}


def list_own(session: Session, seal: Seal, account: str) -> list[dict[str, Any]]:
    """All that somebody reported, with what was answered: for their own data."""
    return [_own_view(seal, row) | {"entry": row.entry} for row in store.list_of_account(session, account)]


def _own_view(seal: Seal, row: Any) -> dict[str, Any]:
    return _state(row) | {"reason": _open(seal, row.id, row.reason), "answer": _open(seal, row.id, row.answer)}


def list_reports(
    session: Session, actor: Actor, state: str, cursor: str | None, limit: int | None, now: datetime
) -> dict[str, Any]:
    """What waits, due first; or what was answered, the newest first. Not what is said in it.

    Raise `NotPermitted` for all but auditors, `InvalidInput`.
    """
    require_auditor(actor)
    if state not in STATES:
        raise InvalidInput([Fault(pointer="/state", rule="enum", value=list(STATES))])
    size, place = paging.require_limit(limit), paging.read_cursor(cursor)
    load = store.list_open if state == OPEN else store.list_answered
    rows = load(session, place, size + 1)
    last = rows[size - 1] if len(rows) > size else None
    following = paging.cursor(last.reported_at if state == OPEN else last.answered_at, last.id) if last else None
    return {"items": [_listed(row, now) for row in rows[:size]], "next": following}


def get_report(session: Session, seal: Seal, actor: Actor, report: str, now: datetime) -> dict[str, Any]:
    """All of it, with who it was; the citizen reads in their log that it was read. Raise `NotPermitted`, `NotFound`."""
    require_auditor(actor)
    try:
        row = store.get(session, str(uuid.UUID(report)))
    except ValueError:
        row = None
    if row is None:
        raise NotFound("look-report", report)
    note_reading(session, actor, row.account, now)
    shown = _listed(row, now) | _own_view(seal, row)
    return shown | {
        "account": row.account,
        "viewer": row.viewer,
        "viewer_name": row.viewer_name,
        "client_id": row.client,
        "channel": row.channel,
        "number": row.number,
        "purpose": row.purpose,
        "hall": row.hall,
        "detail": row.detail,
        "may_answer": row.answered_at is None and actor.subject not in (row.account, row.viewer),
    }


def _listed(row: Any, now: datetime) -> dict[str, Any]:
    is_late = row.answered_at is None and now > row.due_at
    entry = {"at": _moment(row.at), "what": row.what, "role": row.role, "department": row.department}
    return _state(row) | entry | {"id": row.id, "is_late": is_late}


def _state(row: Any) -> dict[str, Any]:
    return {
        "state": OPEN if row.answered_at is None else ANSWERED,
        "reported_at": _moment(row.reported_at),
        "due_at": _moment(row.due_at),
        "answered_at": _moment(row.answered_at) if row.answered_at else None,
    }


def _open(seal: Seal, report: str, sealed: bytes | None) -> str | None:
    """None also for what does not open: the rest of the page is worth showing."""
    try:
        return None if sealed is None else seal.open(bytes(sealed), report.encode()).decode()
    except SealedOtherwise:
        return None


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
