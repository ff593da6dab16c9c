"""Who reads what of cases, and how lists are paged."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from contracts.actors import Actor
from contracts.errors import InvalidInput, NotFound, NotPermitted
from services.cases import commands, own_data, paging, queries
from services.cases.catalogue.files import shipped
from services.cases.lists import queries as lists

CATALOGUE = shipped()
# later than whatever else is in this database, so that these cases come first in every list
NOW = datetime(2100, 3, 2, 1, 30, tzinfo=UTC)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
OFFICER2 = Actor(subject="eve", client="web", roles=("officer",), department="market-regulation")
PROGRAM = Actor(subject="dept", client="dept", department="civil-affairs", scopes=("cases",))


@pytest.fixture
def citizen():
    return Actor(subject=str(uuid.uuid4()), client="web")


@pytest.fixture
def submit(cases_database, citizen):
    def submit_case(item="elderly-card", actor=citizen):
        form = CATALOGUE.get(item).description["example"]
        filing = commands.prepare_filing(CATALOGUE, actor, item, form, None)
        with cases_database.transaction() as session:
            return commands.submit_case(session, CATALOGUE, filing, NOW)["number"]

    return submit_case


@pytest.fixture
def read(cases_database):
    """Call a query that takes (session, CATALOGUE, actor, ...)."""

    def read_by(query, actor, *arguments):
        with cases_database.transaction() as session:
            return query(session, CATALOGUE, actor, *arguments)

    return read_by


def numbers_of(answer):
    return [case["number"] for case in answer["items"]]


def test_my_cases_in_full_are_only_my_own(read, submit, citizen):
    numbers = [submit(), submit("sole-trader")]
    submit(actor=Actor(subject=str(uuid.uuid4()), client="web"))
    first = read(own_data.list_own_cases, citizen, None, 1)
    rest = read(own_data.list_own_cases, citizen, first["next"], 1)
    assert numbers_of(first) + numbers_of(rest) == numbers[::-1]
    assert rest["next"] is None
    for case in first["items"] + rest["items"]:
        assert case["form"] == CATALOGUE.get(case["item"]).description["example"]
        assert [entry["event"] for entry in case["history"]] == ["case.submitted"]
    assert numbers_of(read(own_data.list_own_cases, CLERK, None, None)) == [], "what a clerk serves is not theirs"
    for other in (PROGRAM, replace(citizen, act="carol", channel="hall"), Actor(subject="", client="")):
        with pytest.raises(NotPermitted):
            read(own_data.list_own_cases, other, None, None)


@pytest.mark.parametrize("actor", [CLERK, OFFICER, PROGRAM])
def test_get_case(read, submit, citizen, actor):
    number = submit()
    case = read(queries.get_case, actor, number)
    assert case == read(queries.get_case, citizen, number)
    assert case["form"] == CATALOGUE.get("elderly-card").description["example"]
    assert case["applicant"] == citizen.subject


@pytest.mark.parametrize(
    "actor",
    [
        OFFICER2,
        Actor(subject="bob", client="web"),
        Actor(subject="", client=""),
        Actor(subject="dept", client="dept", department="civil-affairs"),
        Actor(subject="dept2", client="dept2", department="market-regulation", scopes=("cases",)),
        Actor(subject="audit", client="web", roles=("auditor",)),
    ],
)
def test_a_case_is_not_there_for_others(read, submit, cases_database, actor):
    number = submit()
    for query in (queries.get_case, queries.get_case_file):
        with pytest.raises(NotFound) as refusal:
            read(query, actor, number)
        assert refusal.value.args == ("case", number)
    with cases_database.transaction() as session, pytest.raises(NotFound):
        queries.get_history(session, actor, number)


@pytest.mark.parametrize("number", ["", "x", None, "202603020000000000", "202603029999999999", "1" * 10_000])
def test_an_unknown_case(read, number):
    with pytest.raises(NotFound):
        read(queries.get_case, CLERK, number)


def test_get_case_file(read, submit, citizen):
    number = submit()
    file = read(queries.get_case_file, citizen, number)
    assert file["case"] == read(queries.get_case, citizen, number)
    assert [entry["event"] for entry in file["history"]] == ["case.submitted"]
    assert file["item"]["code"] == "elderly-card"
    assert file["actions"] == ["withdraw"]
    assert read(queries.get_case_file, CLERK, number)["actions"][:2] == ["accept", "accept_provisionally"]
    assert read(queries.get_case_file, PROGRAM, number)["actions"] == []


def test_a_citizen_lists_their_own_cases_the_newest_first(read, submit, citizen):
    numbers = [submit(item) for item in ("elderly-card", "sole-trader", "elderly-card", "residence-permit")]
    submit(actor=Actor(subject=str(uuid.uuid4()), client="web"))
    first = read(lists.list_cases, citizen, None, 3)
    assert numbers_of(first) == numbers[:0:-1]
    assert "form" not in first["items"][0]
    assert first["items"][0]["item_name"]["zh-Hans"] == "居住证申领"
    second = read(lists.list_cases, citizen, first["next"], 3)
    assert (numbers_of(second), second["next"]) == (numbers[:1], None)


def test_a_page_that_is_just_full_has_no_next(read, submit, citizen):
    submit(), submit()
    assert read(lists.list_cases, citizen, None, 2)["next"] is None


def test_a_new_case_does_not_shift_the_pages(read, submit, citizen):
    numbers = [submit() for _ in range(4)]
    first = read(lists.list_cases, citizen, None, 2)
    submit()
    assert numbers_of(read(lists.list_cases, citizen, first["next"], 2)) == [numbers[1], numbers[0]]


@pytest.mark.parametrize("actor", [OFFICER, PROGRAM])
def test_a_department_lists_its_cases(read, submit, actor):
    mine, foreign = submit("elderly-card"), submit("sole-trader")
    answer = read(lists.list_cases, actor, None, 100)
    assert mine == numbers_of(answer)[0]
    assert foreign not in numbers_of(answer)
    assert {case["department"] for case in answer["items"]} == {"civil-affairs"}


def test_a_clerk_lists_every_departments_cases(read, submit):
    numbers = [submit("elderly-card"), submit("sole-trader")]
    assert numbers_of(read(lists.list_cases, CLERK, None, 2)) == numbers[::-1]


@pytest.mark.parametrize(
    "actor",
    [
        Actor(subject="", client=""),
        Actor(subject="notify", client="notify", scopes=("contacts",)),
        Actor(subject="dept", client="dept", department="civil-affairs"),
    ],
)
def test_no_list_for_nobody(read, actor):
    with pytest.raises(NotPermitted):
        read(lists.list_cases, actor, None, None)


def test_an_officer_without_a_department_sees_none(read, submit):
    submit()
    assert read(lists.list_cases, Actor(subject="x", client="web", roles=("officer",)), None, None)["items"] == []


@pytest.mark.parametrize("cursor", ["x", "", "eA", "%%%%", "MjAyNjAz", paging.encode("elderly-card"), 5])
def test_a_cursor_that_is_not_ours(read, citizen, cursor):
    with pytest.raises(InvalidInput) as refusal:
        read(lists.list_cases, citizen, cursor, None)
    assert refusal.value.faults[0]["pointer"] == "/cursor"


MANY_CASES = """
    INSERT INTO cases (number, item, item_version, department, region, kind, applicant, channel, submitted_at,
        updated_at, status, sequence, form, request_digest)
    SELECT next_case_number('2099-01-01'), 'elderly-card', 1, 'department-' || serial % 50, '511602', 'other',
        'applicant-' || serial % 50, 'web', now(), now(), 'submitted', 1, '{}', ''
    FROM generate_series(1, 5000) AS serial
"""


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("applicant = 'applicant-7' AND number < '21'", "cases_of_applicant"),
        ("department = 'department-7' AND number < '21'", "cases_of_department"),
        ("number < '21'", "cases_pkey"),
    ],
)
def test_lists_read_an_index_in_their_order(cases_database, condition, index):
    with cases_database.transaction() as session:
        session.execute(text(MANY_CASES))
        session.execute(text("ANALYZE cases"))
        rows = session.execute(
            text(f"EXPLAIN SELECT status FROM cases WHERE {condition} ORDER BY number DESC LIMIT 20")  # noqa: S608
        )
        plan = "\n".join(row[0] for row in rows)
        session.rollback()
    assert f"Index Scan Backward using {index}" in plan
    assert "Sort" not in plan
