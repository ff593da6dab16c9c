"""The time that a case may take: whole days, counted as the law counts them.

The day on which a period begins is not counted, and it ends with its last day (Civil Code, articles 201 and 202). A
case keeps how many days it has left; while it waits for the applicant, or is suspended, nothing is counted. So what
is left stays the same in working days however long it stands, and whatever is edited meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final, Protocol

from services.cases.work.case import Case
from services.cases.work.procedure import WORKING, Procedure, Step
from services.cases.work.states import (
    ACCEPTED,
    AWAITING,
    CORRECTION_REQUESTED,
    NOT_ACCEPTED,
    PROVISIONALLY_ACCEPTED,
    RUNNING,
    SUBMITTED,
    SUSPENDED,
)

LOCAL: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""All of China, and no summer time since 1991: no need of a time zone database."""

ACCEPTANCE_DAYS: Final = 5
"""Working days until a case must be accepted or what is missing be named (Administrative Licensing Law, article 32)."""

DUE_SOON, OVERDUE = 1, 2
"""`due_stage`; each level of escalation is one more."""

_DAY: Final = timedelta(days=1)


class Calendar(Protocol):
    """Which days are worked. `knows`: whether the days of that year have been published."""

    def is_working(self, day: date) -> bool: ...

    def knows(self, year: int) -> bool: ...


class Weekdays:
    """Monday to Friday: for tests, and where nothing better is known."""

    def is_working(self, day: date) -> bool:
        return day.weekday() < 5

    def knows(self, year: int) -> bool:
        return True


WEEKDAYS: Final = Weekdays()


@dataclass(frozen=True, slots=True)
class Escalation:
    """So many working days behind the promised limit, this role is told."""

    days: int
    role: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What is configured: when a case is due soon, who is told later, and the date for an applicant if none is set."""

    due_soon_days: int = 2
    escalations: Sequence[Escalation] = field(default=(Escalation(1, "supervisor"), Escalation(3, "operator")))
    answer_days: int = 10


RULES: Final = Rules()


def stage_of(role: str, rules: Rules) -> int:
    """`due_stage` from which on a case has come to this role; more than any case has if it comes to it never."""
    levels = [level for level, each in enumerate(rules.escalations, 1) if each.role == role]
    return OVERDUE + min(levels, default=len(rules.escalations) + 1)


def day_of(at: datetime) -> date:
    return at.astimezone(LOCAL).date()


def end_of(day: date) -> datetime:
    """The first moment behind it."""
    return datetime.combine(day + _DAY, time(), LOCAL).astimezone(UTC)


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL).astimezone(UTC)


def add_days(calendar: Calendar, day: date, count: int, unit: str = WORKING) -> date:
    """The last day of a period of `count` days that begins on `day`; a negative count goes back.

    None at all ends on `day` itself, or on the next working day.
    """
    if unit != WORKING:
        return day + count * _DAY
    step = _DAY if count >= 0 else -_DAY
    while count == 0 and not calendar.is_working(day):
        day += step
    for _ in range(abs(count)):
        day += step
        while not calendar.is_working(day):
            day += step
    return day


def count_days(calendar: Calendar, start: date, end: date, unit: str = WORKING) -> int:
    """How many counted days lie behind `start`, up to and with `end`; negative if `end` is before `start`."""
    if end < start:
        return -count_days(calendar, end, start, unit)
    if unit != WORKING:
        return (end - start).days
    return sum(calendar.is_working(start + n * _DAY) for n in range(1, (end - start).days + 1))


def started(case: Case, step: Step, procedure: Procedure, calendar: Calendar, at: datetime) -> dict[str, Any]:
    """The clock of a case that has just been filed, accepted or reopened: its fields of `Case`."""
    if case.status in (SUBMITTED, NOT_ACCEPTED):
        # a whole day at the least: a case may be filed a minute before midnight
        promised: int | None = min(max(ACCEPTANCE_DAYS if step.days is None else step.days, 1), ACCEPTANCE_DAYS)
        statutory: int | None = ACCEPTANCE_DAYS
    else:
        promised, statutory = procedure.promised_days, procedure.statutory_days
    fresh = {"promised_left": promised, "statutory_left": statutory, "due_stage": 0, "is_beyond_statute": False}
    return fresh | _dated(day_of(at), promised, statutory, _unit(case.status, procedure), calendar)


def stopped(case: Case, procedure: Procedure, calendar: Calendar, at: datetime) -> dict[str, Any]:
    """Keep what is left. What was late stays late, and nothing grows: a limit that had no day left when it went on at a
    weekend has none when it stands again, though its last day was to be the Monday."""
    if case.clock_from is None:
        return {}
    today, unit = day_of(at), _unit(case.status, procedure)
    limits = ((case.due_on, case.promised_left), (case.statutory_due_on, case.statutory_left))
    left = (_left(calendar, today, last, unit, most) for last, most in limits)
    return dict(zip(("promised_left", "statutory_left"), left, strict=True)) | {"clock_from": None}


def resumed(case: Case, procedure: Procedure, calendar: Calendar, at: datetime) -> dict[str, Any]:
    """Go on with what is left, from today."""
    if case.promised_left is None and case.statutory_left is None:
        return {}
    unit = _unit(case.status, procedure)
    return _dated(day_of(at), case.promised_left, case.statutory_left, unit, calendar)


def recomputed(case: Case, procedure: Procedure, calendar: Calendar) -> dict[str, Any]:
    """The dates anew, by what the calendar knows now. What is left, and since when, does not change."""
    if case.clock_from is None:
        return {"is_due_tentative": False}
    unit = _unit(case.status, procedure)
    return _dated(case.clock_from, case.promised_left, case.statutory_left, unit, calendar)


def followed(before: Case, after: Case, procedure: Procedure, calendar: Calendar, at: datetime) -> dict[str, Any]:
    """What a change of status does to the clock: an edit that changes no status does nothing."""
    is_taken_up = before.status == SUBMITTED and after.status in (ACCEPTED, PROVISIONALLY_ACCEPTED)
    is_anew = after.status in RUNNING and before.status not in (*RUNNING, CORRECTION_REQUESTED, SUSPENDED)
    if is_taken_up or is_anew:
        return started(after, procedure.step(after.step, after.status), procedure, calendar, at)
    if before.status in RUNNING and after.status not in RUNNING:
        return stopped(before, procedure, calendar, at)
    if before.status not in RUNNING and after.status in RUNNING:
        return resumed(after, procedure, calendar, at)
    return {}


def next_moment(case: Case, calendar: Calendar, rules: Rules = RULES) -> datetime | None:
    """When time does something to this case, if nobody does anything before."""
    moments = [at for at in (lapses_at(case), _staged_at(case, calendar, rules), _beyond_at(case)) if at]
    return min(moments, default=None)


def lapses_at(case: Case) -> datetime | None:
    return end_of(case.answer_by) if case.answer_by and case.status in AWAITING else None


def stage_reached(case: Case, calendar: Calendar, rules: Rules, now: datetime) -> int:
    """How far its promised limit has run out by `now`."""
    stage = case.due_stage
    while (at := _stage_at(case, stage + 1, calendar, rules)) and at <= now:
        stage += 1
    return stage


def is_beyond_statute(case: Case, now: datetime) -> bool:
    at = _beyond_at(case)
    return at is not None and at <= now


def due_state(case: Case) -> str:
    """The word for a list: `none`, `stopped`, `running`, `due_soon`, `overdue`, `escalated`."""
    if case.due_on is None:
        return "none"
    if case.due_stage > OVERDUE:
        return "escalated"
    if case.due_stage == OVERDUE:
        return "overdue"
    if case.clock_from is None:
        return "stopped"
    return "due_soon" if case.due_stage == DUE_SOON else "running"


def _staged_at(case: Case, calendar: Calendar, rules: Rules) -> datetime | None:
    return _stage_at(case, case.due_stage + 1, calendar, rules)


def _stage_at(case: Case, stage: int, calendar: Calendar, rules: Rules) -> datetime | None:
    if case.clock_from is None or case.due_on is None:
        return None
    if stage == DUE_SOON:
        # a limit of one day is due soon on that day, not before it began
        early = min(rules.due_soon_days, max((case.promised_left or 0) - 1, 0))
        return start_of(add_days(calendar, case.due_on, -early) if early else case.due_on)
    if stage == OVERDUE:
        return end_of(case.due_on)
    level = stage - OVERDUE
    if level > len(rules.escalations):
        return None
    return end_of(add_days(calendar, case.due_on, rules.escalations[level - 1].days))


def _beyond_at(case: Case) -> datetime | None:
    if case.is_beyond_statute or case.clock_from is None or case.statutory_due_on is None:
        return None
    return end_of(case.statutory_due_on)


def _unit(status: str, procedure: Procedure) -> str:
    # the limit for accepting is in working days, whatever the item's own is in
    return WORKING if status in (SUBMITTED, NOT_ACCEPTED) else procedure.unit


def _left(calendar: Calendar, today: date, last: date | None, unit: str, most: int | None) -> int | None:
    if last is None:
        return None
    left = count_days(calendar, today, last, unit)
    left = left if most is None else min(left, most)
    return left if today <= last else min(left, -1)


def _dated(start: date, promised: int | None, statutory: int | None, unit: str, calendar: Calendar) -> dict[str, Any]:
    due, beyond = (None if n is None else add_days(calendar, start, n, unit) for n in (promised, statutory))
    years = {day.year for day in (due, beyond) if day is not None}
    return {
        "clock_from": start if years else None,
        "due_on": due,
        "statutory_due_on": beyond,
        "is_due_tentative": unit == WORKING and not all(calendar.knows(year) for year in years),
    }
