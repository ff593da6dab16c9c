"""What may happen to a case, by whom, and what follows. No clock of its own, no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from contracts.actors import SYSTEM, Actor
from contracts.errors import (
    ActionNotAllowed,
    CaseChanged,
    CorrectionAlreadyRequested,
    Fault,
    InvalidInput,
    NotPermitted,
    ServiceError,
    VersionNeeded,
)
from contracts.events import (
    CaseClosed,
    CaseDelegated,
    CaseDelivered,
    CaseDueSoon,
    CaseEscalated,
    CaseEvent,
    CaseHandedBack,
    CaseLapsed,
    CaseOverdue,
    CaseProvisionallyAccepted,
    CaseRated,
    CaseStepFinished,
    CaseSubmitted,
    CaseSuspended,
    CorrectionRequested,
)
from services.cases.work import clock, states
from services.cases.work.case import Case, Change
from services.cases.work.clock import RULES, WEEKDAYS, Calendar, Rules
from services.cases.work.people import parts_of, refusal_to_stranger
from services.cases.work.procedure import Procedure, standard
from services.cases.work.states import ACTIONS, BEFORE_CORRECTION, CITIZEN, EITHER, OFFICER, SAME, TRANSITIONS, Action

MAX_ANSWER_DAYS: Final = 366
"""An applicant's date is within a year."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that the applicant is to bring: a document of the item, a field of the form, or something else."""

    text: str | None = None
    document: str | None = None
    field: str | None = None

    def to_dict(self) -> dict[str, str]:
        named = {"document": self.document, "field": self.field, "text": self.text}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Details:
    """What an action takes besides a note. `to` is a department, a step or a colleague's account, as the action is."""

    missing: tuple[Missing, ...] = ()
    until: date | None = None
    reason: str | None = None
    to: str | None = None
    way: str | None = None


NO_DETAILS: Final = Details()

ANY_VERSION: Final = "*"

Versions = Sequence[int] | str | None
"""Which versions of the case the actor has read (its `sequence`), or `*` for any; `None` if they do not say."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that an effect depends on."""

    case: Case
    actor: Actor
    name: str
    at: datetime
    note: str | None
    details: Details
    procedure: Procedure
    calendar: Calendar
    rules: Rules

    @property
    def action(self) -> Action:
        return ACTIONS[self.name]


def allowed_actions(actor: Actor, case: Case, procedure: Procedure | None = None) -> list[str]:
    """What this actor may do to the case now."""
    declared = procedure or standard(case.department)
    return [name for name in ACTIONS if _is_allowed(actor, case, name, declared)]


def act(
    case: Case,
    actor: Actor,
    name: str,
    *,
    at: datetime,
    note: str | None,
    details: Details = NO_DETAILS,
    versions: Versions = None,
    procedure: Procedure | None = None,
    calendar: Calendar = WEEKDAYS,
    rules: Rules = RULES,
) -> Change:
    """Do the action, or say why not: the person comes before the version, then the status, then what is missing."""
    procedure = procedure or standard(case.department)
    parts = _require_person(actor, case, name)
    _require_version(case, name, versions)
    refusal = _refusal_by_state(actor, case, name, parts, procedure)
    if refusal is not None:
        raise refusal
    situation = Situation(case, actor, name, at, note, details, procedure, calendar, rules)
    faults = _faults(situation)
    if faults:
        raise InvalidInput(faults)
    return _change(situation)


def choices(case: Case, procedure: Procedure) -> dict[str, list[str]]:
    """What an action can be given, for those that take something besides a note; to whom to assign others know."""
    step = procedure.step(case.step, case.status)
    return {
        "request_correction": sorted(procedure.documents),
        "accept_provisionally": sorted(procedure.may_follow),
        "suspend": list(states.SUSPENSION_REASONS),
        "finish_step": [each.code for each in procedure.onward(step)],
        "delegate": _takers(case, procedure),
        "deliver": list(procedure.delivery),
    }


def rate(case: Case, score: int, *, channel: str, at: datetime) -> Change:
    """Take the citizen's rating over into the shared history. It may come after a review has reopened the case."""
    if case.status != states.CLOSED and not _was_closed(case):
        raise ActionNotAllowed("rate", case.status)
    rated = replace(case, sequence=case.sequence + 1, updated_at=at)
    citizen = Actor(subject=case.applicant, client="", channel=channel)
    return Change(rated, (case.event(CaseRated, score=score),), citizen)


def submitted(case: Case, applicant: Actor) -> Change:
    """The first change: the case that was just filed."""
    return Change(case, (case.event(CaseSubmitted),), applicant)


def begun(case: Case, procedure: Procedure, calendar: Calendar = WEEKDAYS) -> Case:
    """A case that is about to be filed, in its first step and with its clock started."""
    step = procedure.acceptance
    fields = clock.started(case, step, procedure, calendar, case.submitted_at)
    return replace(case, step=step.code, handler=_handler(case, procedure.department_of(step)), **fields)


def pass_time(
    case: Case,
    now: datetime,
    *,
    procedure: Procedure | None = None,
    calendar: Calendar = WEEKDAYS,
    rules: Rules = RULES,
) -> Change | None:
    """What time alone has done to the case by `now`, one thing at once; `None` if nothing (any more)."""
    lapses = clock.lapses_at(case)
    if lapses is not None and lapses <= now:
        procedure = procedure or standard(case.department)
        return _change(Situation(case, SYSTEM, "lapse", now, None, NO_DETAILS, procedure, calendar, rules))
    stage = clock.stage_reached(case, calendar, rules, now)
    if stage > case.due_stage:
        return _told(case, stage, rules, now)
    if clock.is_beyond_statute(case, now):
        event = case.event(CaseOverdue, due_on=_iso(case.statutory_due_on), limit="statutory")
        return _by_time(replace(case, is_beyond_statute=True), event, now)
    return None


def _told(case: Case, reached: int, rules: Rules, now: datetime) -> Change:
    # nobody is told that it is due soon once it is overdue; each level of escalation is told
    stage = clock.OVERDUE if case.due_stage < clock.OVERDUE <= reached else case.due_stage + 1
    moved = replace(case, due_stage=stage)
    due_on = _iso(case.due_on)
    if stage == clock.DUE_SOON:
        return _by_time(moved, case.event(CaseDueSoon, due_on=due_on), now)
    if stage == clock.OVERDUE:
        return _by_time(moved, case.event(CaseOverdue, due_on=due_on, limit="promised"), now)
    level = stage - clock.OVERDUE
    event = case.event(CaseEscalated, due_on=due_on, level=level, role=rules.escalations[level - 1].role)
    return _by_time(moved, event, now)


def _by_time(case: Case, event: CaseEvent, now: datetime) -> Change:
    after = replace(case, sequence=case.sequence + 1, updated_at=now)
    return Change(after, (event,), SYSTEM, _facts(event))


# May it be done?


def _is_allowed(actor: Actor, case: Case, name: str, procedure: Procedure) -> bool:
    parts = _parts_for(actor, case, ACTIONS[name])
    return bool(parts) and _refusal_by_state(actor, case, name, parts, procedure) is None


def _require_person(actor: Actor, case: Case, name: str) -> list[str]:
    if not parts_of(actor, case):
        raise refusal_to_stranger(actor, case, name)
    if name not in ACTIONS:
        raise InvalidInput([Fault(pointer="/action", rule="enum", value=list(ACTIONS))])
    parts = _parts_for(actor, case, ACTIONS[name])
    if not parts:
        raise NotPermitted(name)
    return parts


def _parts_for(actor: Actor, case: Case, action: Action) -> list[str]:
    return [part for part in parts_of(actor, case) if part in action.by and _is_in_place(actor, case, part, action)]


def _require_version(case: Case, name: str, versions: Versions) -> None:
    if versions is None:
        if ACTIONS[name].needs_version:
            raise VersionNeeded(name)
    elif versions != ANY_VERSION and case.sequence not in versions:
        raise CaseChanged(case.number, case.sequence)


def _refusal_by_state(
    actor: Actor, case: Case, name: str, parts: list[str], procedure: Procedure
) -> ServiceError | None:
    action, step = ACTIONS[name], procedure.step(case.step, case.status)
    if (case.status, name) not in TRANSITIONS or not _CONDITIONS.get(name, _always)(case, actor, procedure):
        return ActionNotAllowed(name, case.status)
    if action.of_step and not any(procedure.allows(step, case.status, name, part) for part in parts):
        return ActionNotAllowed(name, case.status)
    if name == "request_correction" and case.asked_at is not None:
        return CorrectionAlreadyRequested(case.number)
    if action.is_work and CITIZEN not in parts and case.assignee not in (None, actor.hand):
        return NotPermitted(name)
    return None


def _is_in_place(actor: Actor, case: Case, part: str, action: Action) -> bool:
    """Officers act where the case is handled; clerks serve every department."""
    return part != OFFICER or action.at == EITHER or actor.department == case.handled_by


def _always(case: Case, actor: Actor, procedure: Procedure) -> bool:
    return True


def _can_claim(case: Case, actor: Actor, procedure: Procedure) -> bool:
    is_in_own_step = procedure.step(case.step, case.status).role != OFFICER or actor.has_role(OFFICER)
    return case.assignee is None and is_in_own_step


def _can_release(case: Case, actor: Actor, procedure: Procedure) -> bool:
    is_own = case.assignee == actor.hand
    return is_own or (case.assignee is not None and actor.has_role(OFFICER))


def _is_passed_on(case: Case, actor: Actor, procedure: Procedure) -> bool:
    own = procedure.department_of(procedure.step(case.step, case.status))
    return case.handled_by != own


def _can_delegate(case: Case, actor: Actor, procedure: Procedure) -> bool:
    return bool(_takers(case, procedure))


def _takers(case: Case, procedure: Procedure) -> list[str]:
    delegates = procedure.step(case.step, case.status).delegates
    return [each for each in delegates if each != case.handled_by]


def _can_deliver(case: Case, actor: Actor, procedure: Procedure) -> bool:
    return case.decision is not None and case.delivered_by is None


_CONDITIONS: Final[Mapping[str, Callable[[Case, Actor, Procedure], bool]]] = {
    "claim": _can_claim,
    "release": _can_release,
    "delegate": _can_delegate,
    "hand_back": _is_passed_on,
    "deliver": _can_deliver,
}


# What is wrong with how it was asked?


def _faults(situation: Situation) -> list[Fault]:
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
    step = situation.procedure.step(situation.case.step, situation.case.status)
    onward = [each.code for each in situation.procedure.onward(step)]
    return _one_of(situation.details.to, "/to", onward, is_needed=len(onward) > 1)


def _department_faults(situation: Situation) -> list[Fault]:
    return _one_of(situation.details.to, "/to", _takers(situation.case, situation.procedure), is_needed=True)


def _colleague_faults(situation: Situation) -> list[Fault]:
    return [] if situation.details.to else [Fault(pointer="/to", rule="required", value=True)]


def _way_faults(situation: Situation) -> list[Fault]:
    return _one_of(situation.details.way, "/way", situation.procedure.delivery, is_needed=True)


def _one_of(value: str | None, pointer: str, allowed: Any, *, is_needed: bool) -> list[Fault]:
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
}


# What follows


def _change(situation: Situation) -> Change:
    case, action = situation.case, situation.action
    moved = replace(
        case,
        status=_status_after(case, situation.name),
        decision=_decision_after(case, situation),
        sequence=case.sequence + len(action.events),
        updated_at=situation.at,
    )
    effect = _EFFECTS.get(situation.name)
    moved = replace(moved, **(effect(situation, moved) if effect else {}))
    if moved.status != states.CORRECTION_REQUESTED:
        moved = replace(moved, status_before_correction=None)
    if moved.status not in states.AWAITING:
        moved = replace(moved, answer_by=None)
    moved = replace(moved, **clock.followed(case, moved, situation.procedure, situation.calendar, situation.at))
    events = tuple(case.event(event, **_facts_of(event, situation, moved)) for event in action.events)
    return Change(moved, events, _in_role(situation), _details(events[0], situation))


def _status_after(case: Case, name: str) -> str:
    after = TRANSITIONS[case.status, name]
    if after == BEFORE_CORRECTION:
        return case.status_before_correction or states.SUBMITTED
    return case.status if after == SAME else after


def _decision_after(case: Case, situation: Situation) -> str | None:
    if situation.action.decision:
        return situation.action.decision
    return None if situation.name == "reopen" else case.decision


def _taken_up(situation: Situation, moved: Case) -> dict[str, Any]:
    return _entered(situation, situation.procedure.after_acceptance.code)


def _provisionally_taken_up(situation: Situation, moved: Case) -> dict[str, Any]:
    days = situation.procedure.provisional_days or 1
    return _taken_up(situation, moved) | {"answer_by": _last_day(situation, days)}


def _asked(situation: Situation, moved: Case) -> dict[str, Any]:
    before = situation.case.status
    return {
        "status_before_correction": before,
        "asked_at": situation.at,
        "answer_by": _last_day(situation, situation.rules.answer_days),
    }


def _finished(situation: Situation, moved: Case) -> dict[str, Any]:
    return _entered(situation, _next_step(situation))


def _claimed(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"assignee": situation.actor.hand}


def _assigned(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"assignee": situation.details.to}


def _released(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"assignee": None}


def _delegated(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"assignee": None, "handler": _handler(moved, str(situation.details.to))}


def _handed_back(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"assignee": None, "handler": _handler(moved, _own_department(situation))}


def _delivered(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"delivered_by": situation.details.way}


def _reopened(situation: Situation, moved: Case) -> dict[str, Any]:
    procedure = situation.procedure
    step = procedure.acceptance if moved.status == states.SUBMITTED else procedure.step(moved.step, moved.status)
    return _entered(situation, step.code) | {"delivered_by": None, "reopened_at": situation.at}


_EFFECTS: Final[Mapping[str, Callable[[Situation, Case], dict[str, Any]]]] = {
    "accept": _taken_up,
    "accept_provisionally": _provisionally_taken_up,
    "request_correction": _asked,
    "finish_step": _finished,
    "claim": _claimed,
    "assign": _assigned,
    "release": _released,
    "delegate": _delegated,
    "hand_back": _handed_back,
    "deliver": _delivered,
    "reopen": _reopened,
}


def _entered(situation: Situation, code: str) -> dict[str, Any]:
    """Into a step: whoever had the case in hand had the step before, and a delegation was of that one."""
    step = situation.procedure.steps[code]
    handler = _handler(situation.case, situation.procedure.department_of(step))
    return {"step": code, "handler": handler, "assignee": None}


def _handler(case: Case, department: str) -> str | None:
    return None if department == case.department else department


def _own_department(situation: Situation) -> str:
    return situation.procedure.department_of(situation.procedure.step(situation.case.step, situation.case.status))


def _next_step(situation: Situation) -> str:
    step = situation.procedure.step(situation.case.step, situation.case.status)
    return situation.details.to or situation.procedure.onward(step)[0].code


def _last_day(situation: Situation, days: int) -> date:
    """The day that was set, or so many working days from now. A last day that is a holiday gives way to the next
    working day (Civil Code, article 203)."""
    today = clock.day_of(situation.at)
    if situation.details.until is not None:
        return clock.add_days(situation.calendar, situation.details.until, 0)
    return clock.add_days(situation.calendar, today, days)


def _facts_of(event: type[CaseEvent], situation: Situation, moved: Case) -> dict[str, Any]:
    """What an event says besides what every event of a case says."""
    known: dict[type[CaseEvent], Callable[[], dict[str, Any]]] = {
        CaseClosed: lambda: {"decision": moved.decision},
        CorrectionRequested: lambda: {"until": _iso(moved.answer_by)},
        CaseProvisionallyAccepted: lambda: {"until": _iso(moved.answer_by)},
        CaseLapsed: lambda: {"until": _iso(situation.case.answer_by)},
        CaseSuspended: lambda: {"reason": situation.details.reason},
        CaseStepFinished: lambda: {"step": _step_code(situation), "next_step": moved.step},
        CaseDelegated: lambda: {"giver": situation.case.handled_by, "taker": moved.handled_by},
        CaseHandedBack: lambda: {"giver": situation.case.handled_by, "taker": moved.handled_by},
        CaseDelivered: lambda: {"way": moved.delivered_by},
    }
    return known[event]() if event in known else {}


def _step_code(situation: Situation) -> str:
    return situation.procedure.step(situation.case.step, situation.case.status).code


def _details(event: CaseEvent, situation: Situation) -> dict[str, Any]:
    facts = _facts(event)
    missing = [each.to_dict() for each in situation.details.missing if "missing" in situation.action.details]
    return facts | ({"missing": missing} if missing else {})


_OF_EVERY_EVENT: Final = frozenset(("number", "item", "department", "region", "kind", "applicant", "decision", "score"))


def _facts(event: CaseEvent) -> dict[str, Any]:
    return {name: value for name, value in event.to_data().items() if name not in _OF_EVERY_EVENT and value}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _in_role(situation: Situation) -> Actor:
    actor, case = situation.actor, situation.case
    if actor == SYSTEM:
        return actor
    parts = _parts_for(actor, case, situation.action)
    role = next(part for part in parts if _fits(situation, part))
    return replace(actor, roles=() if role == CITIZEN else (role,))


def _fits(situation: Situation, part: str) -> bool:
    case, procedure = situation.case, situation.procedure
    step = procedure.step(case.step, case.status)
    return not situation.action.of_step or procedure.allows(step, case.status, situation.name, part)


def _was_closed(case: Case) -> bool:
    """A decision had been told before it was taken back."""
    return case.reopened_at is not None
