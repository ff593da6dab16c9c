"""The mutual check of evidence with the form, as the page of a case shows it."""

from __future__ import annotations

from typing import Any

from gateway.languages import Catalogue
from gateway.masking import is_identifier, mask

MAX_REASON = 500


def described(evidence: dict[str, Any], say: Catalogue, *, masked: bool) -> dict[str, Any] | None:
    """`None` where nothing is compared. Identifiers are masked for whose they are, as in the preview."""
    check = evidence.get("check") or {}
    if not check.get("fields"):
        return None
    fields = [
        {
            "name": each["field"],
            "label": say.pick(each["title"]),
            "outcome": each["outcome"],
            "said": _value(each, "said", say, masked=masked),
            "found": _value(each, "found", say, masked=masked),
        }
        for each in check["fields"]
    ]
    return {"fields": fields, "differs": check["differs"], "reason": check["reason"]}


def _value(field: dict[str, Any], side: str, say: Catalogue, *, masked: bool) -> str:
    value = field[side]
    if value is None:
        return say("check.nothing")
    shown = say.pick(field["values"].get(value)) or value
    is_number = field["field"].endswith("id_number") or is_identifier(field["field"], {})
    return mask(shown) if masked and is_number else shown
