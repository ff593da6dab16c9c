"""The rules of results: what a decision issues, until when it is good, what ends it. No clock, no database."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

VALID: Final = "valid"
SUPERSEDED: Final = "superseded"
"""Another decision on the same case has taken its place."""
REVOKED: Final = "revoked"
EXPIRED: Final = "expired"
"""Its last day is over. It is no state that anything moves it to: the day says so."""

CERTIFICATE: Final = "certificate"
"""States something of its holder, and is evidence for other items."""
DECISION: Final = "decision"
"""Tells the decision and its reason: a refusal, or a grant whose result is handed out on paper."""

REFUSAL: Final = "refusal"
"""The code of the paper that a refusal is; a grant's is the item's own."""

REOPENED: Final = "reopened"
RENEWED: Final = "renewed"
"""A newer certificate of the same holder took its place."""
REVOCATION_REASONS: Final = ("error", "false-statement", "ground-gone", "at-request", "misused")
"""A slip of ours; what was said was not so; what it rests on is gone; its holder asks for it; it was abused."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a result says of a person, sealed at rest. The first of `fields` names whom it is about."""

    code: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None

    @property
    def named(self) -> str | None:
        first = next(iter(self.fields.values()), None)
        return first if isinstance(first, str) else None


@dataclass(frozen=True, slots=True)
class Result:
    """One document that a decision on a case made; a case that was reopened has one for each decision.

    `paper` is its code in the catalogue (an item's `result.code`, a document's `proofs`), `holder` the applicant's
    `sub`, `serial` counts the case's, from 1. `valid_until` is the last day on which it is good, `None` without end.
    """

    id: str
    number: str
    serial: int
    paper: str
    form: str
    decision: str
    holder: str
    item: str
    item_version: int
    department: str
    issued_at: datetime
    issued_on: date
    valid_until: date | None
    status: str = VALID
    ended_at: datetime | None = None
    end_reason: str | None = None

    @property
    def document_number(self) -> str:
        return f"{self.number}-{self.serial}"

    def status_on(self, day: date) -> str:
        """`valid`, `superseded`, `revoked` or `expired`: what ended it by somebody's hand comes before its last day."""
        is_over = self.valid_until is not None and day > self.valid_until
        return EXPIRED if self.status == VALID and is_over else self.status


def last_day(issued_on: date, months: int | None) -> date | None:
    """The day of the same number in the month in which the term ends, or that month's last one (Civil Code, 202)."""
    if months is None:
        return None
    year, month = divmod(issued_on.year * 12 + issued_on.month - 1 + months, 12)
    return date(year, month + 1, min(issued_on.day, calendar.monthrange(year, month + 1)[1]))


def form_of(declared: Mapping[str, Any], decision: str) -> str:
    """`declared` is the item's `result`. What is only there on paper is no certificate of ours."""
    return CERTIFICATE if decision == "approved" and declared.get("electronic") else DECISION


def stated(declared: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """What of the form goes onto it: the fields that the item names, in its order, and no other."""
    return {name: answers[name] for name in declared.get("fields", ()) if name in answers}


def is_renewed(older: Mapping[str, Any], newer: Mapping[str, Any], by: Sequence[str]) -> bool:
    """Whether what the newer one states takes the older one's place: both say the same in the fields `by`."""
    return bool(by) and all(name in older and older[name] == newer.get(name) for name in by)
