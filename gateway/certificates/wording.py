"""What the document of a result says, in one language."""

from __future__ import annotations

import io
from datetime import date
from typing import Any, Final

import segno

from gateway.languages import Catalogue

_FONTS: Final = {"zh-Hans": ("SC", "TC"), "zh-Hant": ("TC", "SC"), "en": ("SC", "TC")}
_LOCALES: Final = {"zh-Hans": ("zh", "cn"), "zh-Hant": ("zh", "hk"), "en": ("en", "gb")}
_LONG_TITLE: Final = 24


def said(printed: dict[str, Any], say: Catalogue, base_url: str) -> dict[str, Any]:
    """`printed` is the answer of `cases.download_result`; the keys are those of `document.typ`."""
    address = f"{base_url}/verify/{printed['code']}"
    title, department = say.pick(printed["name"]), _department(printed, say)
    issued = date.fromisoformat(printed["issued_on"])
    lang, region = _LOCALES[say.language]
    is_decision = printed["form"] == "decision"
    return {
        "lang": lang,
        "region": region,
        "fonts": [f"Noto Sans {script}" for script in _FONTS[say.language]],
        "title": title,
        "title-size": 18 if len(title) > _LONG_TITLE else 26,
        "department": department,
        "day": {"year": issued.year, "month": issued.month, "day": issued.day},
        "number-label": say("result.number"),
        "number": printed["number"],
        "lines": [_opening(printed, say, department)],
        "columns": [say("result.column-field"), say("result.column-answer")],
        "rows": [[say.pick(each["title"]), _answer(each, say)] for each in printed["fields"]],
        "parts": _parts(printed, say) if is_decision else [],
        "issuer": say("result.issued-by", department=department),
        "issued": say("result.issued-on", day=say.day(printed["issued_on"])),
        "valid": None if is_decision else validity(printed, say),
        "verify": say("result.verify-at"),
        "address": address,
        "shown-address": f"{base_url}/verify",
        "code-label": say("result.code"),
        "code": printed["code"],
        "qr": _qr(address),
        "qr-alt": say("result.qr-alt", code=printed["code"]),
        "footer": say("result.footer", number=printed["number"]),
    }


def validity(printed: dict[str, Any], say: Catalogue) -> str:
    until = printed["valid_until"]
    return say("result.valid-until", day=say.day(until)) if until else say("result.valid-always")


def _department(printed: dict[str, Any], say: Catalogue) -> str:
    return say.pick(printed["department_name"]) or say.word("department", printed["department"])


def _opening(printed: dict[str, Any], say: Catalogue, department: str) -> str:
    kind = printed["form"] if printed["form"] == "certificate" else printed["decision"]
    return say(f"result.opening-{kind}", department=department, item=say.pick(printed["item_name"]))


def _parts(printed: dict[str, Any], say: Catalogue) -> list[dict[str, Any]]:
    is_refused = printed["decision"] == "refused"
    parts = []
    if printed["reason"]:
        parts.append(
            {
                "title": say("result.reason") if is_refused else say("result.remark"),
                "lines": printed["reason"].splitlines(),
            }
        )
    if basis := say.pick(printed["legal_basis"]):
        parts.append({"title": say("result.legal-basis"), "lines": [basis]})
    if is_refused:
        parts.append({"title": say("result.review"), "lines": [say("result.review-ways")]})
    elif name := say.pick(printed["result_name"]):
        parts.append({"title": say("result.on-paper"), "lines": [say("result.on-paper-hint", name=name)]})
    return parts


def _answer(field: dict[str, Any], say: Catalogue) -> str:
    value = field["value"]
    if isinstance(value, bool):
        return say("form.yes" if value else "form.no")
    if str(value) in field["labels"]:
        return say.pick(field["labels"][str(value)])
    if field["format"] == "date":
        return say.day(str(value))
    return str(value)


def _qr(address: str) -> str:
    """An SVG, without a quiet zone of its own: the page has one."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", xmldecl=False, svgns=True, border=1)
    return drawn.getvalue().decode()
