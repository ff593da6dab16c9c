"""How cases and their history look to a reader: plain JSON, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case


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
    }


def entry_view(entry: Any) -> dict[str, Any]:
    """One line of the shared history. Who acted is a role word; the account stays inside."""
    return {
        "sequence": entry.sequence,
        "at": time_view(entry.at),
        "event": entry.event,
        "channel": entry.channel,
        "actor": entry.actor,
        "note": entry.note,
    }


def time_view(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
