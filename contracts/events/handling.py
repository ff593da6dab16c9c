"""Who has a case, or its papers, in hand."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.cases import CaseEvent


@dataclass(frozen=True, slots=True)
class CaseStepFinished(CaseEvent):
    """The case went from one step of its procedure into the next."""

    type = "case.step-finished"

    step: str
    next_step: str


@dataclass(frozen=True, slots=True)
class CaseAssigned(CaseEvent):
    """Somebody of the department that handles the case has it in hand."""

    type = "case.assigned"


@dataclass(frozen=True, slots=True)
class CaseReleased(CaseEvent):
    """Nobody in particular has the case in hand any more."""

    type = "case.released"


@dataclass(frozen=True, slots=True)
class CaseDelegated(CaseEvent):
    """The department `giver` passed the case to the department `taker`, which handles it now."""

    type = "case.delegated"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CaseHandedBack(CaseEvent):
    """The case went back from the department `giver` to `taker`, which had passed it on."""

    type = "case.handed-back"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CasePassedOn(CaseEvent):
    """What was handed in went from the hall `giver` to the department `taker`, or a result the other way."""

    type = "case.passed-on"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CasePapersReceived(CaseEvent):
    """The `taker` has what the `giver` passed on."""

    type = "case.papers-received"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CasePapersReturned(CaseEvent):
    """The department `giver` sent what was passed on back to the hall `taker`, with the reason."""

    type = "case.papers-returned"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CaseTransferred(CaseEvent):
    """The case was not `giver`'s to decide; it is the department `taker`'s, of the event's region, from now on."""

    type = "case.transferred"

    giver: str
    taker: str
    giver_region: str
