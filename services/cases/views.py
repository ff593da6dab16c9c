"""How cases and their history look to a reader: plain JSON, times in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case
from services.cases.work.clock import due_state


def case_view(case: Case, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "number": case.number,
        "item": case.item,
        "item_name": catalogue.name_of(case.item),
        "item_version": case.item_version,
        "department": case.department,
        "region": case.region,
        "kind": case.kind,
        "applicant": case.applicant,
        "status": case.status,
        "decision": case.decision,
        "channel": case.channel,
        "submitted_at": time_view(case.submitted_at),
        "updated_at": time_view(case.updated_at),
        "sequence": case.sequence,
        "step": case.step,
        "handled_by": case.handled_by,
        "answer_by": _day(case.answer_by),
        "delivered_by": case.delivered_by,
        "due": due_view(case),
        "joint": case.joint,
        "filed_hall": case.filed_hall,
        "papers": case.papers,
    }


def due_view(case: Case) -> dict[str, Any]:
    """`days_left` only while the clock stands: a list read tomorrow counts from its date. `is_tentative`: the days off
    of that year are not published yet."""
    return {
        "state": due_state(case),
        "on": _day(case.due_on) if case.clock_from else None,
        "statutory_on": _day(case.statutory_due_on) if case.clock_from else None,
        "days_left": None if case.clock_from else case.promised_left,
        "is_tentative": case.is_due_tentative,
    }


def entry_view(entry: Any) -> dict[str, Any]:
    """One line of the shared history. Who acted is a role word; the account stays inside."""
    view = {
        "sequence": entry.sequence,
        "at": time_view(entry.at),
        "event": entry.event,
        "channel": entry.channel,
        "actor": entry.actor,
        "note": entry.note,
    }
    said = {"details": entry.details, "hall": entry.hall}
    return view | {name: value for name, value in said.items() if value}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def time_view(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
