"""The work on a case over a real PostgreSQL: races, versions, what time does, and where nothing is left behind."""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, text

from chassis import schedule
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, CaseChanged, InvalidInput, NotFound, NotPermitted
from services.cases import commands, queries
from services.cases.catalogue.files import shipped
from services.cases.work import notes, staff, timing, worklist
from services.cases.work.calendars import WEEKDAYS_EVERYWHERE, Everywhere, Mainland, Override
from services.cases.work.clock import RULES, WEEKDAYS, add_days, end_of, start_of
from tests.seals import RESULTS

CATALOGUE = shipped()
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
COLLEAGUE = Actor(subject="erin", client="web", roles=("officer",), department="civil-affairs")
FOREIGNER = Actor(subject="eve", client="web", roles=("officer",), department="market-regulation")
UNPUBLISHED = Everywhere(Mainland())


@pytest.fixture
def citizen():
    return Actor(subject=str(uuid.uuid4()), client="web")


@pytest.fixture
def work(cases_database, citizen):
    return Work(cases_database, citizen)


class Work:
    """One citizen's case, and whoever works on it."""

    def __init__(self, database, citizen):
        self.database, self.citizen = database, citizen

    def submit(self, at=NOW, calendars=WEEKDAYS_EVERYWHERE):
        form = dict(CATALOGUE.get("elderly-card").description["example"])
        filing = commands.prepare_filing(CATALOGUE, self.citizen, "elderly-card", form, None)
        with self.database.transaction() as session:
            case = commands.submit_case(session, CATALOGUE, filing, at, calendars=calendars)
        return case["number"]

    def act(self, number, actor, action, at=NOW, calendars=WEEKDAYS_EVERYWHERE, note="because", **asked):
        with self.database.transaction() as session:
            return commands.act_on_case(
                session,
                CATALOGUE,
                actor,
                number,
                action,
                note=note,
                form=None,
                now=at,
                result_seal=RESULTS,
                calendars=calendars,
                **asked,
            )

    def pass_time(self, now):
        def handle(session, due):
            timing.pass_time(session, CATALOGUE, due, now, calendars=WEEKDAYS_EVERYWHERE, rules=RULES)

        return schedule.run_due(self.database, "cases", timing.CLOCK, handle, now)

    def next_at(self, number):
        with self.database.transaction() as session:
            return session.execute(
                text("SELECT due_at FROM schedule WHERE name = :name AND key = :key"),
                {"name": timing.CLOCK, "key": number},
            ).scalar_one_or_none()

    def history(self, number):
        with self.database.transaction() as session:
            return queries.get_history(session, self.citizen, number)["items"]

    def events(self, number):
        return [entry["event"] for entry in self.history(number)]

    def outbox(self, number):
        with self.database.transaction() as session:
            query = text("SELECT sequence, body FROM outbox WHERE subject = :number ORDER BY id")
            return list(session.execute(query, {"number": number}))


@pytest.fixture(autouse=True)
def nothing_due(cases_database):
    """Only what the test itself asks for."""
    with cases_database.transaction() as session:
        session.execute(text("DELETE FROM schedule WHERE name = :name"), {"name": timing.CLOCK})


def test_of_two_who_have_read_the_same_one_decides_and_the_other_hears_that_it_changed(work):
    number = work.submit()
    version = work.act(number, CLERK, "accept")["sequence"]
    start = threading.Barrier(2)

    def decide(actor, action):
        start.wait()
        try:
            return work.act(number, actor, action, versions=[version])["decision"]
        except CaseChanged as error:
            return error.args

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(decide, (OFFICER, COLLEAGUE), ("approve", "refuse")))
    assert answers.count((number, version + 2)) == 1
    assert len(work.outbox(number)) == 4


def test_another_department_may_not_act_and_changes_nothing(work):
    number = work.submit()
    with pytest.raises(NotPermitted):
        work.act(number, FOREIGNER, "accept")
    assert work.events(number) == ["case.submitted"]


def test_a_case_is_given_to_a_colleague_of_the_department_only(work, cases_database):
    number = work.submit()
    version = work.act(number, CLERK, "accept")["sequence"]
    with cases_database.transaction() as session:
        for officer in (COLLEAGUE, FOREIGNER, CLERK):
            staff.see(session, officer, NOW)
    for stranger in ("eve", "carol", "nobody"):
        with pytest.raises(InvalidInput):
            work.act(number, OFFICER, "assign", details={"to": stranger}, versions=[version])
    work.act(number, OFFICER, "assign", details={"to": "erin"}, versions=[version])
    with pytest.raises(NotPermitted):
        work.act(number, OFFICER, "approve")
    assert work.act(number, COLLEAGUE, "approve")["decision"] == "approved"
    said = "".join(str(bytes(body) if isinstance(body, memoryview) else body) for _, body in work.outbox(number))
    assert "erin" not in said, "events name no person"


def test_what_is_missing_is_listed_with_its_day_and_stays_out_of_the_event(work):
    number = work.submit()
    missing = [{"document": "photo", "text": "blurred"}, {"field": "address"}]
    case = work.act(number, CLERK, "request_correction", note=None, details={"missing": missing, "until": "2026-03-14"})
    # a Saturday gives way to Monday
    assert case["answer_by"] == "2026-03-16"
    assert work.history(number)[-1]["details"] == {"until": "2026-03-16", "missing": missing}
    assert "blurred" not in str(work.outbox(number)[-1])


@pytest.mark.parametrize(
    ("details", "pointer"),
    [
        ({"until": "2026-02-30"}, "/until"),
        ({"until": 5}, "/until"),
        ({"until": "2026-03-02"}, "/until"),
        ({"missing": [{}]}, "/missing/0"),
        ({"missing": [{"document": "x" * 65}]}, "/missing/0/document"),
        ({"missing": [{"text": "x"}] * 51}, "/missing"),
        ({"missing": "photo"}, "/missing"),
        ({"when": "soon"}, "/when"),
        ([], ""),
    ],
)
def test_bad_details_are_named_and_change_nothing(work, details, pointer):
    number = work.submit()
    with pytest.raises(InvalidInput) as refused:
        work.act(number, CLERK, "request_correction", details=details)
    assert [fault["pointer"] for fault in refused.value.faults] == [pointer]
    assert work.events(number) == ["case.submitted"]


def test_a_correction_that_does_not_come_lapses_after_its_last_day(work):
    number = work.submit()
    work.act(number, CLERK, "request_correction", details={"until": "2026-03-16"})
    assert work.next_at(number) == start_of(date(2026, 3, 17))
    assert work.pass_time(start_of(date(2026, 3, 17)) - timedelta(seconds=1)) == 0
    assert work.pass_time(start_of(date(2026, 3, 17))) == 1
    assert work.events(number)[-1] == "case.lapsed"
    assert work.history(number)[-1]["actor"] == "system"
    assert work.next_at(number) is None
    with pytest.raises(ActionNotAllowed):
        work.act(number, work.citizen, "correct")


def test_a_correction_that_came_does_not_lapse(work):
    number = work.submit()
    work.act(number, CLERK, "request_correction", details={"until": "2026-03-16"})
    work.act(number, work.citizen, "correct", at=NOW + timedelta(days=3))
    work.pass_time(start_of(date(2026, 3, 17)))
    assert "case.lapsed" not in work.events(number)


def test_time_tells_once_across_replicas(work):
    number = work.submit()
    work.act(number, CLERK, "accept")
    # three days are promised: until the 5th of March
    start = threading.Barrier(4)

    def look(_):
        start.wait()
        return work.pass_time(start_of(date(2026, 3, 6)))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(look, range(4))) == 1
    assert work.events(number)[2:] == ["case.overdue"]
    for _ in range(2):
        work.pass_time(start_of(date(2026, 4, 1)))
    assert work.events(number)[2:] == ["case.overdue", "case.escalated", "case.escalated", "case.overdue"]
    assert [sequence for sequence, _ in work.outbox(number)] == [1, 2, 3, 4, 5, 6]


def test_time_leaves_a_case_that_is_in_somebodys_hands_and_comes_again(work, cases_database):
    number = work.submit()
    moment = start_of(date(2026, 3, 30))
    with cases_database.transaction() as session:
        session.execute(text("SELECT FROM cases WHERE number = :number FOR UPDATE"), {"number": number})
        assert work.pass_time(moment) == 1
        assert work.next_at(number) == moment + timedelta(seconds=1)
    assert work.events(number) == ["case.submitted"]
    work.pass_time(moment + timedelta(seconds=1))
    assert work.events(number)[1] == "case.overdue"


def test_a_suspended_case_keeps_the_time_it_had(work):
    number = work.submit()
    due = work.act(number, CLERK, "accept")["due"]
    assert (due["state"], due["on"]) == ("running", "2026-03-05")
    standing = work.act(number, OFFICER, "suspend", NOW + timedelta(days=1), details={"reason": "hearing"})
    assert standing["due"] == {
        "state": "stopped", "on": None, "statutory_on": None, "days_left": 2, "is_tentative": False
    }  # fmt: skip
    assert work.next_at(number) is None
    assert work.act(number, OFFICER, "resume", NOW + timedelta(days=14))["due"]["on"] == "2026-03-18"


def test_dates_of_a_year_that_was_not_published_are_computed_once_it_is(work, cases_database):
    number = work.submit(datetime(2099, 12, 28, tzinfo=UTC), UNPUBLISHED)
    announced = Override(years=frozenset(range(2026, 2101)), off=frozenset({date(2099, 12, 29)}))
    now = datetime(2099, 12, 28, tzinfo=UTC)

    def compute(calendars):
        with cases_database.transaction() as session:
            return timing.compute_tentative_dates(session, CATALOGUE, now, calendars=calendars, rules=RULES)

    def due():
        with cases_database.transaction() as session:
            return queries.get_case(session, CATALOGUE, work.citizen, number)["due"]

    assert (due()["on"], due()["is_tentative"]) == ("2099-12-29", True)
    assert compute(UNPUBLISHED) == 0
    assert compute(Everywhere(Mainland(announced))) >= 1
    assert (due()["on"], due()["is_tentative"]) == ("2099-12-30", False)
    assert len(work.events(number)) == 1


def listed(work, actor, shown=None, cursor=None, limit=None):
    with work.database.transaction() as session:
        return worklist.list_work(
            session, CATALOGUE, actor, NOW, shown=shown, cursor=cursor, limit=limit, name="Officer Dan"
        )


def test_a_worklist_holds_what_the_department_handles_and_what_is_due_first_comes_first(work, cases_database):
    with cases_database.transaction() as session:
        session.execute(text("UPDATE cases SET status = 'withdrawn', status_before_correction = NULL, decision = NULL"))
    late, early = work.submit(NOW + timedelta(days=7)), work.submit()
    undated, passed, closed = work.submit(), work.submit(), work.submit()
    work.act(closed, CLERK, "accept")
    work.act(closed, OFFICER, "approve")
    work.act(early, CLERK, "claim")
    with cases_database.transaction() as session:
        session.execute(text("UPDATE cases SET due_on = NULL WHERE number = :number"), {"number": undated})
        values = {"number": passed, "handler": "market-regulation"}
        session.execute(text("UPDATE cases SET handler = :handler WHERE number = :number"), values)
    seen, cursor = [], None
    while True:
        page = listed(work, OFFICER, cursor=cursor, limit=1)
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [case["number"] for case in seen] == [early, late, undated]
    assert [case["assigned"] for case in seen] == ["colleague", "nobody", "nobody"]
    assert [case["number"] for case in listed(work, OFFICER, "unassigned")["items"]] == [late, undated]
    assert listed(work, OFFICER, "mine")["items"] == []
    assert [case["number"] for case in listed(work, FOREIGNER)["items"]] == [passed]
    for stranger in (CLERK, work.citizen):
        with pytest.raises(NotPermitted):
            listed(work, stranger)
    with pytest.raises(InvalidInput):
        listed(work, OFFICER, "nonsense")
    with pytest.raises(InvalidInput):
        listed(work, OFFICER, cursor="x")


def test_what_has_come_to_supervisors_is_on_their_worklist_whoever_has_it_in_hand(work, cases_database):
    with cases_database.transaction() as session:
        session.execute(text("UPDATE cases SET status = 'withdrawn', status_before_correction = NULL, decision = NULL"))
    unassigned, passed, early = work.submit(), work.submit(), work.submit(NOW + timedelta(days=60))
    with cases_database.transaction() as session:
        values = {"number": passed, "handler": "market-regulation"}
        session.execute(text("UPDATE cases SET handler = :handler WHERE number = :number"), values)
    supervisor, theirs = (replace(officer, roles=("officer", "supervisor")) for officer in (OFFICER, FOREIGNER))
    [due_on] = {case["due"]["on"] for case in listed(work, supervisor)["items"] if case["number"] == unassigned}
    ends = add_days(WEEKDAYS, date.fromisoformat(due_on), 1)
    work.pass_time(start_of(ends))
    assert listed(work, supervisor, "escalated")["escalated"] == 0, "one day more is the officers'"
    work.pass_time(end_of(ends))
    for person, number in ((supervisor, unassigned), (theirs, passed)):
        page = listed(work, person, "escalated")
        assert ([case["number"] for case in page["items"]], page["escalated"]) == ([number], 1)
    assert "escalated" not in listed(work, OFFICER), "the number is the supervisors'"
    told = [json.loads(body)["data"] for _, body in work.outbox(passed) if json.loads(body)["type"] == "case.escalated"]
    assert [(each["role"], each["department"], each["handler"]) for each in told] == [
        ("supervisor", "civil-affairs", "market-regulation")
    ]
    assert early not in [case["number"] for case in listed(work, supervisor, "escalated")["items"]]


def test_a_worklist_makes_no_more_queries_with_more_rows(work, cases_database):
    def queries_of():
        count = 0

        def counted(*_):
            nonlocal count
            count += 1

        event.listen(Engine, "before_cursor_execute", counted)
        try:
            listed(work, OFFICER)
        finally:
            event.remove(Engine, "before_cursor_execute", counted)
        return count

    work.submit()
    listed(work, OFFICER)
    before = queries_of()
    for _ in range(5):
        work.submit()
    assert queries_of() == before


def test_notes_are_for_staff_and_for_nobody_else(work, cases_database):
    number = work.submit()
    with cases_database.transaction() as session:
        notes.add_note(session, OFFICER, number, " looks like the case of last week ", NOW)
    for stranger, error in ((work.citizen, NotPermitted), (FOREIGNER, NotFound), (Actor("p", "p"), NotFound)):
        with pytest.raises(error), cases_database.transaction() as session:
            notes.add_note(session, stranger, number, "x", NOW)
    for words in (None, "  ", "x" * 2_001, 5, "a\0"):
        with pytest.raises(InvalidInput), cases_database.transaction() as session:
            notes.add_note(session, OFFICER, number, words, NOW)
    for reader, seen in ((OFFICER, 1), (CLERK, 1), (work.citizen, 0)):
        with cases_database.transaction() as session:
            file = queries.get_case_file(session, CATALOGUE, reader, number)
        assert len(file["notes"]) == seen
        assert ("last week" in str(file)) == bool(seen)
    assert "last week" not in str(work.outbox(number))
    assert work.events(number) == ["case.submitted"]
