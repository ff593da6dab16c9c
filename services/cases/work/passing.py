"""What time alone does to a case: it lapses, its limits run out. No clock of its own, no database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.actors import SYSTEM
from contracts.events import CaseDueSoon, CaseEscalated, CaseEvent, CaseOverdue
from services.cases.work import clock
from services.cases.work.case import Case, Change
from services.cases.work.clock import RULES, WEEKDAYS, Calendar, Rules
from services.cases.work.effects import change_of
from services.cases.work.procedure import Procedure, standard
from services.cases.work.situation import NO_DETAILS, Situation
from services.cases.work.telling import iso, said_of


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
        procedure = (procedure or standard(case.department)).at(case.department)
        return change_of(Situation(case, SYSTEM, "lapse", now, None, NO_DETAILS, procedure, calendar, rules))
    stage = clock.stage_reached(case, calendar, rules, now)
    if stage > case.due_stage:
        return _told(case, stage, rules, now)
    if clock.is_beyond_statute(case, now):
        event = case.event(CaseOverdue, due_on=iso(case.statutory_due_on), limit="statutory")
        return _by_time(replace(case, is_beyond_statute=True), event, now)
    return None


def _told(case: Case, reached: int, rules: Rules, now: datetime) -> Change:
    # nobody is told that it is due soon once it is overdue; each level of escalation is told
    stage = clock.OVERDUE if case.due_stage < clock.OVERDUE <= reached else case.due_stage + 1
    moved = replace(case, due_stage=stage)
    due_on = iso(case.due_on)
    if stage == clock.DUE_SOON:
        return _by_time(moved, case.event(CaseDueSoon, due_on=due_on), now)
    if stage == clock.OVERDUE:
        return _by_time(moved, case.event(CaseOverdue, due_on=due_on, limit="promised"), now)
    level = stage - clock.OVERDUE
    role = rules.escalations[level - 1].role
    event = case.event(CaseEscalated, due_on=due_on, level=level, role=role, handler=case.handled_by)
    return _by_time(moved, event, now)


def _by_time(case: Case, event: CaseEvent, now: datetime) -> Change:
    after = replace(case, sequence=case.sequence + 1, updated_at=now)
    return Change(after, (event,), SYSTEM, said_of(event))
