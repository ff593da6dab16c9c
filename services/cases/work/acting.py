"""What may happen to a case, by whom, and what follows. No clock of its own, no database.

In three steps, a module each: whether it may be done (`allowing`), whether it was asked for rightly (`faults`), and
what follows (`effects`). What happens by itself is in `passing`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, InvalidInput
from contracts.events import CaseRated, CaseSubmitted
from services.cases.work import clock, states
from services.cases.work.allowing import Versions, is_allowed, refusal_by_state, require_person, require_version, takers
from services.cases.work.case import Case, Change
from services.cases.work.clock import RULES, WEEKDAYS, Calendar, Rules
from services.cases.work.effects import change_of, handler_of
from services.cases.work.faults import faults_of
from services.cases.work.procedure import Procedure, standard
from services.cases.work.situation import NO_DETAILS, Details, Situation
from services.cases.work.states import ACTIONS


def allowed_actions(actor: Actor, case: Case, procedure: Procedure | None = None) -> list[str]:
    """What this actor may do to the case now."""
    declared = (procedure or standard(case.department)).at(case.department)
    return [name for name in ACTIONS if is_allowed(actor, case, name, declared)]


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
    procedure = (procedure or standard(case.department)).at(case.department)
    parts = require_person(actor, case, name)
    require_version(case, name, versions)
    refusal = refusal_by_state(actor, case, name, parts, procedure)
    if refusal is not None:
        raise refusal
    situation = Situation(case, actor, name, at, note, details, procedure, calendar, rules)
    faults = faults_of(situation)
    if faults:
        raise InvalidInput(faults)
    return change_of(situation)


def choices(case: Case, procedure: Procedure) -> dict[str, list[str]]:
    """What an action can be given, for those that take something besides a note; to whom to assign others know."""
    procedure = procedure.at(case.department)
    step = procedure.step(case.step, case.status)
    return {
        "request_correction": sorted(procedure.documents),
        "accept_provisionally": sorted(procedure.may_follow),
        "suspend": list(states.SUSPENSION_REASONS),
        "finish_step": [each.code for each in procedure.onward(step)],
        "delegate": takers(case, procedure),
        "deliver": list(procedure.delivery),
        "pass_on": sorted(procedure.documents),
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
    return Change(case, (case.event(CaseSubmitted, joint=case.joint or "-"),), applicant)


def begun(case: Case, procedure: Procedure, calendar: Calendar = WEEKDAYS) -> Case:
    """A case that is about to be filed, in its first step and with its clock started."""
    step = procedure.acceptance
    fields = clock.started(case, step, procedure, calendar, case.submitted_at)
    return replace(case, step=step.code, handler=handler_of(case, procedure.department_of(step)), **fields)


def _was_closed(case: Case) -> bool:
    """A decision had been told before it was taken back."""
    return case.reopened_at is not None
