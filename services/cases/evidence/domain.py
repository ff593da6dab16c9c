"""The rules of evidence: its states, what moves it, how long it is good. No clock, no database.

One piece of evidence stands for one document of one case that somebody else than the applicant has. It is fetched only
with the applicant's consent, and used only after they have seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from contracts.errors import ActionNotAllowed, InvalidInput, NotPermitted

WANTED: Final = "wanted"
"""It could be fetched; the applicant has not consented (any more)."""
ASKED: Final = "asked"
PROVIDED: Final = "provided"
"""It is there, and the applicant has not said yet whether it is to be used: nobody else sees it."""
USED: Final = "used"
DECLINED: Final = "declined"
"""The applicant has seen it and brings the document themselves. It is held against nobody, and was deleted."""
NOT_FOUND: Final = "not-found"
NEEDS_CITIZEN: Final = "needs-citizen"
OVERDUE: Final = "overdue"
"""Its source has not answered in time: the applicant may bring the document. An answer still comes in."""
ENDED: Final = "ended"
"""The case ended before it was used."""
STATUSES: Final = (WANTED, ASKED, PROVIDED, USED, DECLINED, NOT_FOUND, NEEDS_CITIZEN, OVERDUE, ENDED)

WAITING: Final = (ASKED, OVERDUE)
"""Its source may answer."""
FETCHED: Final = (ASKED, PROVIDED, USED)
"""The applicant is not asked to bring the document."""
LEFT_TO_APPLICANT: Final = (DECLINED, NOT_FOUND, NEEDS_CITIZEN, OVERDUE)
"""Fetching it came to nothing so far: the applicant may bring the document."""

CONSENT: Final = "consent"
ANSWER: Final = "answer"
USE: Final = "use"
DECLINE: Final = "decline"
WITHDRAW: Final = "withdraw"
CORRECT: Final = "correct"
"""The form, by what the evidence says: it stays as it is."""
PASS_LIMIT: Final = "pass_limit"  # noqa: S105
END: Final = "end"

MAY: Final[Mapping[str, tuple[str, ...]]] = {
    CONSENT: (WANTED, DECLINED, NOT_FOUND, NEEDS_CITIZEN, ENDED),
    ANSWER: WAITING,
    USE: (PROVIDED,),
    DECLINE: (PROVIDED,),
    # what a decision may rest on already is not taken back
    WITHDRAW: (ASKED, OVERDUE, PROVIDED),
    PASS_LIMIT: (ASKED,),
    END: (WANTED, ASKED, PROVIDED, DECLINED, NOT_FOUND, NEEDS_CITIZEN, OVERDUE),
}
"""What may be done, and from which status."""

APPLICANTS: Final = (CONSENT, USE, DECLINE, WITHDRAW)
"""What its applicant does."""

RESULTS: Final = (PROVIDED, NOT_FOUND, NEEDS_CITIZEN)
"""What a source may answer."""

DEPARTMENT: Final = "department"
ORGANISATION: Final = "organisation"

CERTIFICATE: Final = "certificate"
EARLIER: Final = "evidence"
"""Where it came from, if nobody was asked: a certificate that the platform issued, or evidence for an earlier case."""

MOST_ASKS: Final = 3
"""How often the source is asked for one document of one case."""
DEFAULT_ANSWER_DAYS: Final = 3
"""Working days."""
CONSENT_TERM: Final = timedelta(days=180)
MAX_VALID_DAYS: Final = 3_660
MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Source:
    """Who has a document: a `department` or an `organisation`, by its code; `paper` is what kind of evidence it is.

    `keys` are what the source finds it by (key -> field of the form). `is_issued_here`: the paper is the result of an
    item, so the applicant may hold a certificate of it.
    """

    document: str
    paper: str
    kind: str
    code: str
    keys: Mapping[str, str]
    answer_days: int = DEFAULT_ANSWER_DAYS
    is_issued_here: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """`sequence` counts its own events. `origin` is where it came from if nobody was asked, `origin_id` which one.

    `valid_until` is the last day on which it is good, `None` if its source says none; `reason` why its source needs
    the citizen, in the source's words.
    """

    id: str
    number: str
    document: str
    paper: str
    source_kind: str
    source: str
    applicant: str
    item: str
    status: str = WANTED
    sequence: int = 0
    asks: int = 0
    consented_at: datetime | None = None
    consented_until: datetime | None = None
    asked_at: datetime | None = None
    due_at: datetime | None = None
    answered_at: datetime | None = None
    valid_until: date | None = None
    origin: str | None = None
    origin_id: str | None = None
    was_late: bool = False

    def may(self, act: str) -> bool:
        return self.status in MAY[act] and (act != CONSENT or self.asks < MOST_ASKS)


@dataclass(frozen=True, slots=True)
class Content:
    """What it says of a person, sealed at rest, with the `keys` that it was found by.

    `reason` is why its source needs the citizen, in the source's words.
    """

    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reason: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source says: `fields` and `valid_until` if it was `provided`, `reason` if it needs the citizen."""

    result: str
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    valid_until: date | None = None
    reason: str | None = field(default=None, repr=False)


def require(evidence: Evidence, act: str) -> None:
    if not evidence.may(act):
        raise ActionNotAllowed(act, evidence.status)


def consented(evidence: Evidence, at: datetime) -> Evidence:
    if evidence.status in MAY[CONSENT] and evidence.asks >= MOST_ASKS:
        raise InvalidInput([{"pointer": "/consent", "rule": "evidence.asks", "value": MOST_ASKS}])
    require(evidence, CONSENT)
    return replace(evidence, consented_at=at, consented_until=at + CONSENT_TERM)


def asked(evidence: Evidence, at: datetime, due_at: datetime) -> Evidence:
    """Its source is asked, for the first time or anew."""
    return replace(
        evidence,
        status=ASKED,
        asks=evidence.asks + 1,
        sequence=evidence.sequence + 1,
        asked_at=at,
        due_at=due_at,
        answered_at=None,
        was_late=False,
    )


def taken_from(evidence: Evidence, origin: str, origin_id: str, valid_until: date | None, at: datetime) -> Evidence:
    """It is there already. What the applicant holds as a certificate they know; the rest they look at first."""
    status = USED if origin == CERTIFICATE else PROVIDED
    return replace(evidence, status=status, origin=origin, origin_id=origin_id, valid_until=valid_until, answered_at=at)


def answered(evidence: Evidence, answer: Answer, at: datetime) -> Evidence:
    require(evidence, ANSWER)
    if evidence.consented_until is None or at >= evidence.consented_until:
        raise NotPermitted("answer")
    return replace(evidence, status=answer.result, answered_at=at, valid_until=answer.valid_until)


def decided(evidence: Evidence, act: str, today: date) -> Evidence:
    """The applicant has seen it: `use` or `decline`. What is not good any more cannot be used."""
    require(evidence, act)
    if act == USE and not is_good(evidence, today):
        raise ActionNotAllowed(USE, "expired")
    return replace(evidence, status=USED if act == USE else DECLINED)


def can_correct(evidence: Evidence) -> bool:
    """Whether the applicant may put their form right by it."""
    return evidence.status in (PROVIDED, USED)


def require_correcting(evidence: Evidence, today: date) -> None:
    if not can_correct(evidence):
        raise ActionNotAllowed(CORRECT, evidence.status)
    if not is_good(evidence, today):
        raise ActionNotAllowed(CORRECT, "expired")


def withdrawn(evidence: Evidence) -> Evidence:
    require(evidence, WITHDRAW)
    return replace(evidence, status=WANTED, consented_at=None, consented_until=None, due_at=None)


def overdue(evidence: Evidence) -> Evidence:
    require(evidence, PASS_LIMIT)
    return replace(evidence, status=OVERDUE, was_late=True)


def ended(evidence: Evidence) -> Evidence:
    require(evidence, END)
    return replace(evidence, status=ENDED, due_at=None)


def is_good(evidence: Evidence, today: date) -> bool:
    return evidence.valid_until is None or evidence.valid_until >= today
