"""What somebody sees of a case who has its number and code: states, days, what is awaited. Nobody's name, and nothing
that anybody wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.cases.catalogue.model import ServiceItem
from services.cases.views import due_view, time_view
from services.cases.work.case import Case
from services.cases.work.states import AWAITING, ENDED

MOST_ENTRIES: Final = 100
_OF_STAFF: Final = frozenset(("case.assigned", "case.released", "case.escalated", "case.rated"))
"""Who has it in hand, who was told, and what the applicant thought of it."""


def progress_view(case: Case, item: ServiceItem, history: Iterable[Any]) -> dict[str, Any]:
    """`awaited` is whose turn it is: `applicant`, `department`, or `nobody` once it has ended."""
    entries = list(history)
    return {
        "number": case.number,
        "item": case.item,
        "item_name": item.name,
        "department": case.department,
        "status": case.status,
        "decision": case.decision,
        "submitted_at": time_view(case.submitted_at),
        "updated_at": time_view(case.updated_at),
        "due": due_view(case),
        "answer_by": case.answer_by.isoformat() if case.answer_by else None,
        "awaited": _awaited(case),
        "missing": _missing(case, item.description, entries),
        "history": [
            {"at": time_view(entry.at), "event": entry.event} for entry in entries if entry.event not in _OF_STAFF
        ][-MOST_ENTRIES:],
    }


def _awaited(case: Case) -> str:
    if case.status in ENDED:
        return "nobody"
    return "applicant" if case.status in AWAITING else "department"


def _missing(case: Case, item: Mapping[str, Any], entries: list[Any]) -> list[Mapping[str, str]]:
    """Documents and fields by their names. What an officer put into words is on the case's own page only."""
    if case.answer_by is None:
        return []
    asked = [entry.details["missing"] for entry in entries if (entry.details or {}).get("missing")]
    documents = {each["code"]: each["name"] for each in item.get("documents", ())}
    fields = {name: field["x-title"] for name, field in item.get("form", {}).get("properties", {}).items()}
    named = (documents.get(each.get("document")) or fields.get(each.get("field")) for each in (asked or [[]])[-1])
    return [name for name in named if name]
