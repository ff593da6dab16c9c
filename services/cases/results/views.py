"""How results look to a reader: to who may see the case, on the document, and to anyone who has the code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from services.cases.catalogue.model import ServiceItem
from services.cases.results import domain
from services.cases.results.domain import Content, Result
from services.cases.views import time_view

_REFUSAL: Final = {"zh-Hans": "不予办理决定书", "zh-Hant": "不予辦理決定書", "en": "Decision: refused"}
_GRANT: Final = {"zh-Hans": "准予办理决定书", "zh-Hant": "准予辦理決定書", "en": "Decision: granted"}


def result_view(result: Result, content: Content, item: ServiceItem, day: date) -> dict[str, Any]:
    """For who may see the case. `day` is today in the region."""
    return _public(result, item, day) | {
        "result": result.id,
        "case": result.number,
        "item": result.item,
        "item_version": result.item_version,
        "paper": result.paper,
        "named": content.named,
        "code": content.code,
    }


def printed_view(result: Result, content: Content, item: ServiceItem) -> dict[str, Any]:
    """What the document says, in every language. Who makes it chooses one: a field is its title, its answer, and the
    titles of the answers that there are to choose from."""
    properties: dict[str, Any] = item.description.get("form", {}).get("properties", {})
    return _public(result, item, result.issued_on) | {
        "result": result.id,
        "case": result.number,
        "code": content.code,
        "reason": content.reason if result.form == domain.DECISION else None,
        "legal_basis": item.description.get("legal_basis", {}),
        "result_name": item.description.get("result", {}).get("name", {}),
        "fields": [
            {
                "title": properties[name]["x-title"],
                "value": value,
                "format": properties[name].get("format"),
                "labels": properties[name].get("x-labels", {}),
            }
            for name, value in content.fields.items()
            if name in properties
        ],
    }


def verified_view(
    result: Result, content: Content, item: ServiceItem, day: date, documents: Iterable[Any]
) -> dict[str, Any]:
    """For anyone who has the code: nobody's name in full, no answer of the form, no reason that somebody wrote."""
    return _public(result, item, day) | {
        "holder": masked(content.named),
        "documents": [{"language": row.language, "sha256": row.sha256} for row in documents],
    }


def download_view(row: Any) -> dict[str, Any]:
    taken = {"at": time_view(row.at), "channel": row.channel, "actor": row.actor, "language": row.language}
    return taken | ({"hall": row.hall} if row.hall else {})


def masked(name: str | None) -> str | None:
    """The first character: enough to compare with a paper, too little to learn a name."""
    return f"{name[:1]}**" if name else None


def _public(result: Result, item: ServiceItem, day: date) -> dict[str, Any]:
    return {
        "number": result.document_number,
        "form": result.form,
        "decision": result.decision,
        "name": _name(result, item),
        "item_name": item.name,
        "department": result.department,
        "department_name": item.description.get("department_name", {}),
        "issued_on": result.issued_on.isoformat(),
        "valid_until": result.valid_until.isoformat() if result.valid_until else None,
        "status": result.status_on(day),
        "ended_at": _time(result.ended_at),
        "end_reason": result.end_reason,
    }


def _name(result: Result, item: ServiceItem) -> dict[str, str]:
    if result.form == domain.CERTIFICATE:
        name: dict[str, str] = item.description["result"]["name"]
        return name
    return _GRANT if result.decision == "approved" else _REFUSAL


def _time(at: datetime | None) -> str | None:
    return time_view(at) if at else None
