"""What follows from an action that may be done: the case after it, its events, and who acted in which role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from contracts.actors import SYSTEM, Actor
from services.cases.work import clock, states
from services.cases.work.allowing import parts_for
from services.cases.work.case import Case, Change
from services.cases.work.situation import Situation
from services.cases.work.states import BEFORE_CORRECTION, CITIZEN, SAME, TRANSITIONS
from services.cases.work.telling import details_of, facts_of


def change_of(situation: Situation) -> Change:
    """`situation` is of an action that may be done, and was asked for rightly."""
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
    # what is transferred is told where it is now: the giver knows
    told = moved if situation.name == "transfer" else case
    events = tuple(told.event(event, **facts_of(event, situation, moved)) for event in action.events)
    return Change(moved, events, _in_role(situation), details_of(events[0], situation), case)


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
    return {"assignee": None, "handler": handler_of(moved, str(situation.details.to))}


def _handed_back(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"assignee": None, "handler": handler_of(moved, _own_department(situation))}


def _transferred(situation: Situation, moved: Case) -> dict[str, Any]:
    """The time that was promised stays: it was not the applicant's mistake alone."""
    details = situation.details
    region = details.region or situation.case.region
    return {"department": details.to, "region": region, "handler": None, "assignee": None}


def _passed_on(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"papers": states.RESULT_UNDER_WAY if moved.status == states.CLOSED else states.UNDER_WAY}


def _papers_received(situation: Situation, moved: Case) -> dict[str, Any]:
    is_result = situation.case.papers == states.RESULT_UNDER_WAY
    return {"papers": states.RESULT_AT_HALL if is_result else states.RECEIVED}


def _papers_returned(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"papers": states.RETURNED}


def _delivered(situation: Situation, moved: Case) -> dict[str, Any]:
    return {"delivered_by": situation.details.way}


def _reopened(situation: Situation, moved: Case) -> dict[str, Any]:
    procedure = situation.procedure
    step = procedure.acceptance if moved.status == states.SUBMITTED else procedure.step(moved.step, moved.status)
    again: dict[str, Any] = {"delivered_by": None, "reopened_at": situation.at}
    if situation.case.papers in (states.RESULT_UNDER_WAY, states.RESULT_AT_HALL):
        # what went to the hall is the result of before; the one that follows goes there anew
        again["papers"] = states.RECEIVED
    return _entered(situation, step.code) | again


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
    "transfer": _transferred,
    "pass_on": _passed_on,
    "receive_papers": _papers_received,
    "return_papers": _papers_returned,
    "reopen": _reopened,
}


def _entered(situation: Situation, code: str) -> dict[str, Any]:
    """Into a step: whoever had the case in hand had the step before, and a delegation was of that one."""
    step = situation.procedure.steps[code]
    handler = handler_of(situation.case, situation.procedure.department_of(step))
    return {"step": code, "handler": handler, "assignee": None}


def handler_of(case: Case, department: str) -> str | None:
    """`Case.handler`, of a case that this department handles."""
    return None if department == case.department else department


def _own_department(situation: Situation) -> str:
    return situation.procedure.department_of(situation.step)


def _next_step(situation: Situation) -> str:
    return situation.details.to or situation.procedure.onward(situation.step)[0].code


def _last_day(situation: Situation, days: int) -> date:
    """The day that was set, or so many working days from now. A last day that is a holiday gives way to the next
    working day (Civil Code, article 203)."""
    today = clock.day_of(situation.at)
    if situation.details.until is not None:
        return clock.add_days(situation.calendar, situation.details.until, 0)
    return clock.add_days(situation.calendar, today, days)


def _in_role(situation: Situation) -> Actor:
    actor, case = situation.actor, situation.case
    if actor == SYSTEM:
        return actor
    parts = parts_for(actor, case, situation.action)
    role = next(part for part in parts if _fits(situation, part))
    return replace(actor, roles=() if role == CITIZEN else (role,))


def _fits(situation: Situation, part: str) -> bool:
    allows, status = situation.procedure.allows, situation.case.status
    return not situation.action.of_step or allows(situation.step, status, situation.name, part)
