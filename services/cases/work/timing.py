"""What time does to cases: one row of `chassis.schedule` a case, for the next moment at which something happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypedDict

from chassis import schedule
from chassis.database import Session
from chassis.schedule import Due
from services.cases import store
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.work import clock, passing
from services.cases.work.calendars import Calendars
from services.cases.work.case import Case
from services.cases.work.clock import Calendar, Rules

CLOCK: Final = "case-clock"
BATCH: Final = 500
_AGAIN: Final = timedelta(seconds=1)


class Time(TypedDict):
    """What every command on cases is given of time besides the moment."""

    calendars: Calendars
    rules: Rules


def keep(session: Session, case: Case, calendar: Calendar, rules: Rules) -> None:
    """Let time come back to this case when it is next due. The case is locked (or new)."""
    moment = clock.next_moment(case, calendar, rules)
    if moment is None:
        schedule.cancel(session, CLOCK, case.number)
    else:
        schedule.at(session, moment, CLOCK, case.number, {})


def pass_time(
    session: Session, catalogue: Catalogue, due: Due, now: datetime, *, calendars: Calendars, rules: Rules
) -> Case | None:
    """Do what is due for a case, and ask for the next time. The case as it is then, if it was in nobody's hands.

    Whoever acts on a case locks it first and moves this row then; here the row is locked already. So a case that is in
    somebody's hands is left for a second: to wait for it would be to wait for one who waits for us.
    """
    case = store.lock_case_at_once(session, due.key)
    if case is None:
        schedule.at(session, now + _AGAIN, CLOCK, due.key, {})
        return None
    procedure = VERSIONS.get(session, catalogue, case.item, case.item_version).procedure
    calendar = calendars.of(case.region)
    while change := passing.pass_time(case, now, procedure=procedure, calendar=calendar, rules=rules):
        store.save_change(session, change)
        case = change.case
    keep(session, case, calendar, rules)
    return case


def compute_tentative_dates(
    session: Session, catalogue: Catalogue, now: datetime, *, calendars: Calendars, rules: Rules
) -> int:
    """The dates that were computed before their year was published, anew; how many there were.

    It is no entry of the history: nobody did anything, and what was promised in days stays as it was.
    """
    count = 0
    for case in store.lock_tentative_cases(session, calendars.known_until(clock.day_of(now)), BATCH):
        calendar = calendars.of(case.region)
        procedure = VERSIONS.get(session, catalogue, case.item, case.item_version).procedure
        known = replace(case, **clock.recomputed(case, procedure, calendar))
        store.save_dates(session, known)
        keep(session, known, calendar, rules)
        count += 1
    return count
