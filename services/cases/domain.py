"""The rules of a case: what may happen to it, by whom, and what follows. No clock, no database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, InvalidInput, NotFound, NotPermitted, StepUpRequired
from contracts.events import (
    CaseAccepted,
    CaseApproved,
    CaseClosed,
    CaseCorrected,
    CaseEvent,
    CaseRated,
    CaseRefused,
    CaseSubmitted,
    CaseWithdrawn,
    CorrectionRequested,
)

SUBMITTED: Final = "submitted"
ACCEPTED: Final = "accepted"
CORRECTION_REQUESTED: Final = "correction_requested"
WITHDRAWN: Final = "withdrawn"
CLOSED: Final = "closed"
STATUSES: Final = (SUBMITTED, ACCEPTED, CORRECTION_REQUESTED, WITHDRAWN, CLOSED)

# Whom an actor is to a case. The first three are also the role words of the shared history.
CITIZEN: Final = "citizen"
CLERK: Final = "clerk"
OFFICER: Final = "officer"
PROGRAM: Final = "program"

STAFF: Final = (CLERK, OFFICER)


@dataclass(frozen=True, slots=True)
class Action:
    """Who may do it, the events that it makes (in this order), and what goes with it.

    `brings_form`: it may replace the form. A correction need not: what was missing may be a document or an answer.
    """

    by: tuple[str, ...]
    events: tuple[type[CaseEvent], ...]
    needs_note: bool = False
    brings_form: bool = False
    decision: str | None = None


ACTIONS: Final[dict[str, Action]] = {
    "accept": Action(by=STAFF, events=(CaseAccepted,)),
    "request_correction": Action(by=STAFF, events=(CorrectionRequested,), needs_note=True),
    "correct": Action(by=(CITIZEN,), events=(CaseCorrected,), brings_form=True),
    "approve": Action(by=(OFFICER,), events=(CaseApproved, CaseClosed), decision="approved"),
    "refuse": Action(by=(OFFICER,), events=(CaseRefused, CaseClosed), needs_note=True, decision="refused"),
    "withdraw": Action(by=(CITIZEN,), events=(CaseWithdrawn,)),
}

BEFORE_CORRECTION: Final = "the status before the correction request"

TRANSITIONS: Final[dict[tuple[str, str], str]] = {
    (SUBMITTED, "accept"): ACCEPTED,
    (SUBMITTED, "request_correction"): CORRECTION_REQUESTED,
    (SUBMITTED, "withdraw"): WITHDRAWN,
    (ACCEPTED, "request_correction"): CORRECTION_REQUESTED,
    (ACCEPTED, "approve"): CLOSED,
    (ACCEPTED, "refuse"): CLOSED,
    (ACCEPTED, "withdraw"): WITHDRAWN,
    (CORRECTION_REQUESTED, "correct"): BEFORE_CORRECTION,
    (CORRECTION_REQUESTED, "withdraw"): WITHDRAWN,
}
"""(status, action) -> status. What is not here is not allowed."""


@dataclass(frozen=True, slots=True)
class Case:
    """One citizen's request for one service item. `sequence` counts its history, and with it its events."""

    number: str
    item: str
    item_version: int
    department: str
    region: str
    kind: str
    applicant: str
    channel: str
    submitted_at: datetime
    updated_at: datetime
    status: str = SUBMITTED
    status_before_correction: str | None = None
    decision: str | None = None
    sequence: int = 1

    def event(self, event_class: type[CaseEvent], **facts: Any) -> CaseEvent:
        return event_class(
            number=self.number,
            item=self.item,
            department=self.department,
            region=self.region,
            kind=self.kind,
            applicant=self.applicant,
            **facts,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What one action makes of a case: the case after it, its new events, and the actor in the role acted in."""

    case: Case
    events: tuple[CaseEvent, ...]
    actor: Actor

    @property
    def entries(self) -> list[tuple[int, CaseEvent]]:
        """Each event with its place in the case's history."""
        first = self.case.sequence - len(self.events) + 1
        return list(enumerate(self.events, first))


def is_program(actor: Actor) -> bool:
    """An organisation's program signs in as itself (RFC 6749, section 4.4); it is nobody's applicant."""
    return actor.subject == actor.client


def applicant_of(actor: Actor) -> Actor:
    """The actor as an applicant, a citizen whatever else they are. `NotPermitted` for who cannot be one."""
    if not actor.subject or is_program(actor):
        raise NotPermitted("submit_case")
    return replace(actor, roles=())


def require_assurance(actor: Actor, level: int) -> None:
    """Raise `StepUpRequired` if it is not sure enough who the applicant is."""
    # whoever is signed in is at the first level, also by a token of before there were levels
    if max(actor.acr, 1) < level:
        raise StepUpRequired(level)


def require_mandate_for(actor: Actor, item: str) -> None:
    """An agent files what the mandate is about; one for a case files nothing new."""
    if actor.mandate is not None and not actor.mandate.covers(item):
        raise NotPermitted("submit_case")


def parts_of(actor: Actor, case: Case) -> tuple[str, ...]:
    """Whom the actor is to this case, in the order of their roles. Nobody: empty, and the case is not there for them.

    An applicant is only that: nobody decides on a case of their own.
    """
    if actor.mandate is not None and not actor.mandate.covers(case.item, case.number):
        return ()
    if actor.subject == case.applicant:
        return (CITIZEN,)
    in_department = actor.department == case.department
    if is_program(actor):
        return (PROGRAM,) if in_department and actor.has_scope("cases") else ()
    return tuple(role for role in actor.roles if role == CLERK or (role == OFFICER and in_department))


def require_visible(actor: Actor, case: Case) -> None:
    if not parts_of(actor, case):
        raise NotFound("case", case.number)


def allowed_actions(actor: Actor, case: Case) -> list[str]:
    """What this actor may do to the case now."""
    parts = parts_of(actor, case)
    return [
        name
        for name, action in ACTIONS.items()
        if (case.status, name) in TRANSITIONS and any(part in action.by for part in parts)
    ]


def act(case: Case, actor: Actor, name: str, *, at: datetime, note: str | None) -> Change:
    """Do the action, or say why not: the person comes before the status, the status before what is missing."""
    parts = parts_of(actor, case)
    if not parts:
        raise NotFound("case", case.number)
    action = ACTIONS.get(name)
    if action is None:
        raise InvalidInput([{"pointer": "/action", "rule": "enum", "value": list(ACTIONS)}])
    role = next((part for part in parts if part in action.by), None)
    if role is None:
        raise NotPermitted(name)
    after = TRANSITIONS.get((case.status, name))
    if after is None:
        raise ActionNotAllowed(name, case.status)
    if action.needs_note and not note:
        raise InvalidInput([{"pointer": "/note", "rule": "required", "value": True}])
    return Change(_moved(case, after, action, at), _events(case, action), _in_role(actor, role))


def rate(case: Case, score: int, *, channel: str, at: datetime) -> Change:
    """Take the citizen's rating over into the shared history."""
    if case.status != CLOSED:
        raise ActionNotAllowed("rate", case.status)
    rated = replace(case, sequence=case.sequence + 1, updated_at=at)
    citizen = Actor(subject=case.applicant, client="", channel=channel)
    return Change(rated, (case.event(CaseRated, score=score),), citizen)


def submitted(case: Case, applicant: Actor) -> Change:
    """The first change: the case that was just filed."""
    return Change(case, (case.event(CaseSubmitted),), applicant)


def _moved(case: Case, after: str, action: Action, at: datetime) -> Case:
    asks = after == CORRECTION_REQUESTED
    return replace(
        case,
        status=(case.status_before_correction or SUBMITTED) if after == BEFORE_CORRECTION else after,
        status_before_correction=case.status if asks else None,
        decision=action.decision,
        sequence=case.sequence + len(action.events),
        updated_at=at,
    )


def _events(case: Case, action: Action) -> tuple[CaseEvent, ...]:
    return tuple(
        case.event(event, decision=action.decision) if event is CaseClosed else case.event(event)
        for event in action.events
    )


def _in_role(actor: Actor, role: str) -> Actor:
    return replace(actor, roles=() if role == CITIZEN else (role,))
