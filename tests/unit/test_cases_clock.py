"""Time limits: counted in the days of the region, never lost or won by an edit, a suspension or a restart."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cases.domain import Case, begun, pass_time
from services.cases.work import clock
from services.cases.work.calendars import Mainland, Override, Published, read_overrides
from services.cases.work.clock import WEEKDAYS, add_days, count_days
from services.cases.work.procedure import CALENDAR, WORKING, standard

MAINLAND = Mainland()
PROCEDURE = replace(standard("civil-affairs"), promised_days=5, statutory_days=20)

calendars = st.sampled_from([WEEKDAYS, MAINLAND, Published().of("810000"), Published().of("710000")])
days = st.dates(date(2024, 1, 1), date(2026, 6, 30))


def at(day, hour=10):
    return datetime(day.year, day.month, day.day, hour, tzinfo=clock.LOCAL).astimezone(UTC)


def create_case(day, status="accepted", procedure=PROCEDURE, calendar=WEEKDAYS):
    case = Case(
        number="202603020000000018", item="x", item_version=1, department="civil-affairs", region="511602",
        kind="licence", applicant="alice", channel="web", submitted_at=at(day), updated_at=at(day), status=status,
    )  # fmt: skip
    step = procedure.step(None, status)
    return replace(case, **clock.started(case, step, procedure, calendar, at(day)))


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        # the Spring Festival of 2026: off from the 15th to the 23rd of February, worked on Saturday the 14th and 28th
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-13", 2, "2026-02-24"),
        ("2026-02-27", 1, "2026-02-28"),
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-07", 0, "2026-03-09"),
        ("2026-03-09", 0, "2026-03-09"),
        ("2026-03-10", -2, "2026-03-06"),
    ],
)
def test_days_are_counted_as_they_are_worked(start, count, end):
    assert add_days(MAINLAND, date.fromisoformat(start), count) == date.fromisoformat(end)


@given(calendars, days, st.integers(0, 60))
def test_a_period_holds_as_many_days_as_it_says(calendar, start, count):
    end = add_days(calendar, start, count)
    assert calendar.is_working(end)
    assert count_days(calendar, start, end) == count or (count == 0 and not calendar.is_working(start))


PAUSES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=6)


@given(calendars, days, st.sampled_from([WORKING, CALENDAR]), st.integers(1, 30), PAUSES)
def test_what_is_left_stays_however_often_a_case_stands(calendar, start, unit, limit, pauses):
    procedure = replace(PROCEDURE, unit=unit, promised_days=limit, statutory_days=limit + 10)
    case, today = create_case(start, procedure=procedure, calendar=calendar), start
    running = 0
    for worked, stood in pauses:
        stop = today + timedelta(days=worked)
        running += count_days(calendar, today, stop, unit)
        if stop > case.due_on:
            return
        due = case.due_on
        standing = replace(case, status="suspended", **clock.stopped(case, procedure, calendar, at(stop)))
        # with none left it goes on to the next day that is worked, which is then counted for nothing
        assert standing.promised_left == max(limit - running, 0)
        assert clock.next_moment(standing, calendar) is None
        today = stop + timedelta(days=stood)
        case = replace(standing, status="accepted", **clock.resumed(standing, procedure, calendar, at(today)))
        assert case.due_on >= due
        if stood == 0 and calendar.is_working(stop):
            assert case.due_on == due, "a suspension of no time costs none and gives none"
    # with nothing left it ends on the day it goes on, or on the next one that is worked
    assert count_days(calendar, today, case.due_on, unit) == limit - running or running >= limit


def test_standing_at_weekends_gains_no_day():
    friday, saturday, monday = date(2026, 3, 6), date(2026, 3, 7), date(2026, 3, 9)
    case = replace(create_case(date(2026, 2, 27)), promised_left=0, clock_from=friday, due_on=friday)
    for _ in range(3):
        standing = replace(case, status="suspended", **clock.stopped(case, PROCEDURE, WEEKDAYS, at(case.clock_from)))
        assert standing.promised_left == 0
        case = replace(standing, status="accepted", **clock.resumed(standing, PROCEDURE, WEEKDAYS, at(saturday)))
        assert case.due_on == monday


@given(days, st.integers(1, 15), st.integers(1, 40), st.integers(0, 40))
def test_a_suspension_forgives_nothing(start, limit, late, stood):
    procedure = replace(PROCEDURE, promised_days=limit)
    case = create_case(start, procedure=procedure)
    stop = case.due_on + timedelta(days=late)
    standing = replace(case, status="suspended", **clock.stopped(case, procedure, WEEKDAYS, at(stop)))
    today = stop + timedelta(days=stood)
    resumed = replace(standing, status="accepted", **clock.resumed(standing, procedure, WEEKDAYS, at(today)))
    assert resumed.due_on < today


@given(days, st.lists(st.integers(1, 400), max_size=40))
def test_whenever_the_clock_is_looked_at_everything_is_told_once_and_in_order(start, hours):
    case, now, told = create_case(start), at(start), []
    for passed in hours:
        now += timedelta(hours=passed)
        # a process that was down looks late; one that is up looks at each moment
        while change := pass_time(case, now, procedure=PROCEDURE):
            told += change.events
            case = change.case
        moment = clock.next_moment(case, WEEKDAYS)
        assert moment is None or moment > now
    words = [(event.type, getattr(event, "limit", getattr(event, "level", None))) for event in told]
    assert len(words) == len(set(words))
    promised = [word for word in words if word[1] != "statutory"]
    order = [("case.due-soon", None), ("case.overdue", "promised"), ("case.escalated", 1), ("case.escalated", 2)]
    assert promised == [word for word in order if word in promised]
    if ("case.escalated", 1) in promised:
        assert ("case.overdue", "promised") in promised
    if now >= clock.end_of(case.due_on):
        assert ("case.overdue", "promised") in promised, "whoever has it in hand, or nobody"
    else:
        assert ("case.overdue", "promised") not in promised


def test_an_unassigned_case_that_nobody_takes_up_is_escalated():
    case = begun(create_case(date(2026, 3, 2), "submitted"), PROCEDURE)
    assert (case.assignee, case.due_on) == (None, date(2026, 3, 9))
    told = []
    while change := pass_time(case, at(date(2026, 3, 31)), procedure=PROCEDURE):
        told += change.events
        case = change.case
    assert [event.type for event in told] == ["case.overdue", "case.escalated", "case.escalated", "case.overdue"]
    assert [event.role for event in told[1:3]] == ["supervisor", "operator"]


def test_a_case_filed_before_midnight_has_the_next_day():
    case = create_case(date(2026, 3, 2), "submitted", replace(PROCEDURE, steps={
        code: replace(step, days=0) for code, step in PROCEDURE.steps.items()
    }))  # fmt: skip
    assert case.due_on == date(2026, 3, 3)
    assert case.statutory_due_on == date(2026, 3, 9)


def test_a_year_that_is_not_published_falls_back_and_is_known_later():
    start = date(2099, 12, 25)
    assert not MAINLAND.knows(2100)
    assert MAINLAND.is_working(date(2099, 12, 30))
    assert not MAINLAND.is_working(date(2100, 1, 1)), "the law names New Year's Day"
    case = create_case(start, calendar=MAINLAND)
    assert case.is_due_tentative
    known = Mainland(Override(years=frozenset({2099, 2100}), off=frozenset({date(2099, 12, 28)})))
    later = replace(case, **clock.recomputed(case, PROCEDURE, known))
    assert (later.is_due_tentative, later.due_on) == (False, case.due_on + timedelta(days=1))
    assert (later.promised_left, later.clock_from) == (case.promised_left, case.clock_from)


def test_an_announced_day_overrides_the_library(tmp_path):
    file = tmp_path / "days.yaml"
    file.write_text(
        "CN: {years: [2031], holidays: [2031-01-02], working: [2031-01-04]}\nHK: {holidays: [2026-03-03]}\n"
    )
    published = Published(file)
    mainland, hong_kong = published.of("511602"), published.of("810000")
    assert (mainland.knows(2031), mainland.knows(2032)) == (True, False)
    assert (mainland.is_working(date(2031, 1, 2)), mainland.is_working(date(2031, 1, 4))) == (False, True)
    assert (hong_kong.is_working(date(2026, 3, 3)), mainland.is_working(date(2026, 3, 3))) == (False, True)


@pytest.mark.parametrize(
    "content",
    ["- 2031-01-01", "XX: {}", "CN: [1]", "CN: {days: []}", "CN: {holidays: [2027-02-30]}", "CN: {years: ['2031']}",
     "CN: {holidays: [2031-01-02], working: [2031-01-02]}"],
)  # fmt: skip
def test_a_file_with_a_day_that_does_not_exist_is_refused(tmp_path, content):
    file = tmp_path / "days.yaml"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"days\.yaml"):
        read_overrides(file)
