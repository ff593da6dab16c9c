"""What is wrong with how an action was asked for: every wrong place is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from contracts.errors import Fault
from services.cases.work import clock, states
from services.cases.work.allowing import takers
from services.cases.work.situation import Situation

_TRACKING: Final = re.compile("[0-9A-Za-z-]{6,40}")

MAX_ANSWER_DAYS: Final = 366
"""An applicant's date is within a year."""


def faults_of(situation: Situation) -> list[Fault]:
    faults = []
    if situation.action.needs_note and not situation.note and not _says_what_is_missing(situation):
        faults.append(Fault(pointer="/note", rule="required", value=True))
    check = _CHECKS.get(situation.name)
    return faults + (check(situation) if check else [])


def _says_what_is_missing(situation: Situation) -> bool:
    return situation.name == "request_correction" and bool(situation.details.missing)


def _missing_faults(situation: Situation) -> list[Fault]:
    known = {"document": situation.procedure.documents, "field": situation.procedure.fields}
    wrong = [
        Fault(pointer=f"/missing/{n}/{kind}", rule="enum", value=sorted(known[kind]))
        for n, each in enumerate(situation.details.missing)
        for kind, value in (("document", each.document), ("field", each.field))
        if value and value not in known[kind]
    ]
    return wrong + _until_faults(situation)


def _provisional_faults(situation: Situation) -> list[Fault]:
    """Only what the item says may follow, and at least one of it."""
    may_follow = situation.procedure.may_follow
    if not situation.details.missing:
        return [Fault(pointer="/missing", rule="required", value=True)]
    wrong = [
        Fault(pointer=f"/missing/{n}/document", rule="enum", value=sorted(may_follow))
        for n, each in enumerate(situation.details.missing)
        if each.document not in may_follow
    ]
    return wrong + _until_faults(situation)


def _until_faults(situation: Situation) -> list[Fault]:
    until, today = situation.details.until, clock.day_of(situation.at)
    if until is None:
        return []
    if until <= today:
        return [Fault(pointer="/until", rule="future", value=True)]
    if (until - today).days > MAX_ANSWER_DAYS:
        return [Fault(pointer="/until", rule="withinDays", value=MAX_ANSWER_DAYS)]
    return []


def _reason_faults(situation: Situation) -> list[Fault]:
    return _one_of(situation.details.reason, "/reason", states.SUSPENSION_REASONS, is_needed=True)


def _step_faults(situation: Situation) -> list[Fault]:
    onward = [each.code for each in situation.procedure.onward(situation.step)]
    return _one_of(situation.details.to, "/to", onward, is_needed=len(onward) > 1)


def _department_faults(situation: Situation) -> list[Fault]:
    return _one_of(situation.details.to, "/to", takers(situation.case, situation.procedure), is_needed=True)


def _colleague_faults(situation: Situation) -> list[Fault]:
    return [] if situation.details.to else [Fault(pointer="/to", rule="required", value=True)]


def _way_faults(situation: Situation) -> list[Fault]:
    """What goes by post may be followed by its number, as carriers write them."""
    faults = _one_of(situation.details.way, "/way", situation.procedure.delivery, is_needed=True)
    tracking = situation.details.tracking
    if tracking is not None and situation.details.way != "post":
        faults.append(Fault(pointer="/tracking", rule="byPost", value=True))
    elif tracking is not None and not _TRACKING.fullmatch(tracking):
        faults.append(Fault(pointer="/tracking", rule="pattern", value=_TRACKING.pattern))
    return faults


def _paper_faults(situation: Situation) -> list[Fault]:
    """What goes from hand to hand is named; with a result it is the result itself."""
    known, papers = situation.procedure.documents, situation.details.papers
    if not papers and situation.case.status != states.CLOSED:
        return [Fault(pointer="/papers", rule="required", value=True)]
    return [
        Fault(pointer=f"/papers/{n}/document", rule="enum", value=sorted(known))
        for n, each in enumerate(papers)
        if each.document not in known
    ]


def _transfer_faults(situation: Situation) -> list[Fault]:
    """To another department or region than it is in; which ones there are, others know."""
    case, details = situation.case, situation.details
    if details.to is None:
        return [Fault(pointer="/to", rule="required", value=True)]
    is_same = (details.to, details.region or case.region) == (case.department, case.region)
    return [Fault(pointer="/to", rule="other", value=True)] if is_same else []


def _one_of(value: str | None, pointer: str, allowed: Collection[str], *, is_needed: bool) -> list[Fault]:
    if value is None:
        return [Fault(pointer=pointer, rule="required", value=True)] if is_needed else []
    return [] if value in allowed else [Fault(pointer=pointer, rule="enum", value=list(allowed))]


_CHECKS: Final[Mapping[str, Callable[[Situation], list[Fault]]]] = {
    "request_correction": _missing_faults,
    "accept_provisionally": _provisional_faults,
    "suspend": _reason_faults,
    "finish_step": _step_faults,
    "delegate": _department_faults,
    "assign": _colleague_faults,
    "deliver": _way_faults,
    "pass_on": _paper_faults,
    "transfer": _transfer_faults,
}
