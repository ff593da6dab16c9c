"""What is asked for besides a note, read from JSON: every wrong place is named."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from contracts.errors import Fault, InvalidInput
from services.cases import forms
from services.cases.work.situation import NO_DETAILS, Details, Missing, Paper
from services.cases.work.states import PAPER_FORMS

MAX_MISSING: Final = 50
MAX_TEXT: Final = 500
MAX_CODE: Final = 64
MAX_COPIES: Final = 99

_CODES: Final = ("reason", "to", "way", "region", "tracking")
_NAMED: Final = ("document", "field", "text")


def read(raw: object) -> Details:
    """`{"missing": [{"document" | "field" | "text"}, ...], "until", "reason", "to", "way", ...}`, if it is needed."""
    if raw is None:
        return NO_DETAILS
    if not isinstance(raw, dict):
        raise InvalidInput([forms.fault("", "type", "object")])
    unknown = [name for name in raw if name not in ("missing", "papers", "until", *_CODES)]
    if unknown:
        raise InvalidInput([forms.fault(f"/{name}", "additionalProperties", False) for name in unknown[:10]])
    codes = {name: forms.require_text(raw.get(name), f"/{name}", MAX_CODE) for name in _CODES}
    papers = _papers(raw.get("papers"))
    return Details(missing=_missing(raw.get("missing")), until=_day(raw.get("until")), papers=papers, **codes)


def _missing(raw: object) -> tuple[Missing, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise InvalidInput([forms.fault("/missing", "type", "array")])
    if len(raw) > MAX_MISSING:
        raise InvalidInput([forms.fault("/missing", "maxItems", MAX_MISSING)])
    return tuple(_one_missing(each, f"/missing/{n}") for n, each in enumerate(raw))


def _one_missing(raw: Any, pointer: str) -> Missing:
    if not isinstance(raw, dict) or any(name not in _NAMED for name in raw):
        raise InvalidInput([forms.fault(pointer, "type", "object")])
    limits = {"document": MAX_CODE, "field": MAX_CODE, "text": MAX_TEXT}
    named = {name: forms.require_text(raw.get(name), f"{pointer}/{name}", limits[name]) for name in _NAMED}
    if not any(named.values()):
        raise InvalidInput([forms.fault(pointer, "required", True)])
    return Missing(**named)


def _papers(raw: object) -> tuple[Paper, ...]:
    """`[{"document", "form", "copies"}]`, as original and one unless they say otherwise."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise InvalidInput([forms.fault("/papers", "type", "array")])
    if len(raw) > MAX_MISSING:
        raise InvalidInput([forms.fault("/papers", "maxItems", MAX_MISSING)])
    return tuple(_paper(each, f"/papers/{n}") for n, each in enumerate(raw))


def _paper(raw: Any, pointer: str) -> Paper:
    if not isinstance(raw, dict) or any(name not in ("document", "form", "copies") for name in raw):
        raise InvalidInput([forms.fault(pointer, "type", "object")])
    document = forms.require_text(raw.get("document"), f"{pointer}/document", MAX_CODE)
    if document is None:
        raise InvalidInput([forms.fault(f"{pointer}/document", "required", True)])
    form, copies = raw.get("form", PAPER_FORMS[0]), raw.get("copies", 1)
    if form not in PAPER_FORMS:
        raise InvalidInput([forms.fault(f"{pointer}/form", "enum", list(PAPER_FORMS))])
    if type(copies) is not int or not 1 <= copies <= MAX_COPIES:
        raise InvalidInput([forms.fault(f"{pointer}/copies", "maximum", MAX_COPIES)])
    return Paper(document, form, copies)


def _day(raw: object) -> date | None:
    """A day that exists, as ISO 8601 writes it; the 30th of February does not."""
    if raw is None:
        return None
    try:
        if isinstance(raw, str) and len(raw) == len("2026-01-31"):
            return date.fromisoformat(raw)
    except ValueError:
        pass
    raise InvalidInput([Fault(pointer="/until", rule="format", value="date")])
