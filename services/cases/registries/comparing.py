"""The mutual check (校验核对): what the applicant wrote, beside what the evidence says. No clock, no database.

A difference refuses nothing. It is shown to the applicant, who corrects the form or says why, and to the officer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

Simplify = Callable[[str], str]
"""Chinese text in simplified characters."""


class Outcome(StrEnum):
    """Of one field. What only one of both says, or neither, is missing."""

    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"


class Way(StrEnum):
    """How two values of a field are compared."""

    TEXT = "text"
    NAME = "name"
    DATE = "date"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of the form, with what both say of it as they say it; `None` where one says nothing."""

    field: str
    evidence_field: str
    outcome: Outcome
    said: str | None
    found: str | None


def compare(
    pairs: Mapping[str, str],
    form: Mapping[str, Any],
    evidence: Mapping[str, Any],
    ways: Mapping[str, Way],
    simplify: Simplify,
) -> tuple[Compared, ...]:
    """`pairs` is field of the form -> field of the evidence, `ways` how each field of the evidence is compared."""
    return tuple(
        _compared(field, other, _text(form.get(field)), _text(evidence.get(other)), ways.get(other, Way.TEXT), simplify)
        for field, other in pairs.items()
    )


def differences(compared: tuple[Compared, ...]) -> tuple[Compared, ...]:
    return tuple(each for each in compared if each.outcome is Outcome.DIFFERS)


def is_same(said: str, found: str, way: Way, simplify: Simplify) -> bool:
    """Whether both mean one thing: width, case, blanks and the way a date is written do not count.

    Nor does the script, where one of them is simplified and the other is not. Two that are both traditional are
    compared as they stand: 發 and 髮 are two characters there, and one in simplified.
    """
    one, other = _normal(said, way), _normal(found, way)
    if one == other:
        return True
    if way in (Way.DATE, Way.NUMBER):
        return False
    simple_one, simple_other = simplify(one), simplify(other)
    is_one_simple, is_other_simple = simple_one == one, simple_other == other
    return is_one_simple is not is_other_simple and simple_one == simple_other


def _compared(
    field: str, evidence_field: str, said: str | None, found: str | None, way: Way, simplify: Simplify
) -> Compared:
    if said is None or found is None:
        outcome = Outcome.MISSING
    else:
        outcome = Outcome.SAME if is_same(said, found, way, simplify) else Outcome.DIFFERS
    return Compared(field, evidence_field, outcome, said, found)


def _text(value: object) -> str | None:
    """A value of JSON as text; blanks say nothing. What is no single value cannot be compared."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | str):
        return str(value).strip() or None
    return None


def _normal(value: str, way: Way) -> str:
    text = _SPACES.sub(" ", _WIDE_GAPS.sub("", _without_widths(value))).strip()
    match way:
        case Way.NAME:
            return _POINTS.sub("·", text)
        case Way.DATE:
            return _date(text) or text
        case Way.NUMBER:
            return _number(text) or text
    return text


def _without_widths(value: str) -> str:
    """Full-width and half-width are one (NFKC), and so are capitals. Folding may undo the form, so it comes again."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())


_CHINESE: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3001-\u303f"
_SPACES: Final = re.compile(r"\s+")
# nobody writes blanks inside Chinese to mean something
_WIDE_GAPS: Final = re.compile(rf"(?<=[{_CHINESE}])\s+|\s+(?=[{_CHINESE}])")
# the point in 阿依古丽·买买提, as keyboards and older systems write it; NFKC has made some of them one
_POINTS: Final = re.compile(r"\s*[·•‧∙⋅・.]\s*")
_DATES: Final = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?P<day>\d\d)|[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?)"
    r"(?:t[0-9:.+z-]*)?"
)


def _date(text: str) -> str | None:
    found = _DATES.fullmatch(text.replace(" ", ""))
    if found is None:
        return None
    parts = (found["year"], found["month"] or found["m"], found["day"] or found["d"])
    try:
        return date(*map(int, parts)).isoformat()
    except ValueError:
        return None


def _number(text: str) -> str | None:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return f"{number.normalize():f}" if number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS else None


_MOST_DIGITS: Final = 40
"""Written out, a number with an exponent could fill the memory."""
