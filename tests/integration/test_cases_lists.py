"""Lists of cases: filters, words, order, cursors, and what a page costs."""

import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from contracts.actors import Actor, Mandate
from contracts.errors import InvalidInput, NotPermitted
from services.cases import commands, own_data
from services.cases.catalogue.files import shipped
from services.cases.lists import export, persons, queries, store
from services.cases.lists.words import words_of
from services.cases.subscriptions import queries as subscription_queries
from services.cases.work import notes, worklist
from tests.statements import counting

CATALOGUE = shipped()
DEPARTMENT = f"lists-{uuid.uuid4().hex[:8]}"
OTHER = f"{DEPARTMENT}-other"
OFFICER = Actor(subject=str(uuid.uuid4()), client="web", roles=("officer",), department=DEPARTMENT)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OPERATOR = Actor(subject="olga", client="web", roles=("operator",))
PROGRAM = Actor(subject="dept", client="dept", department=DEPARTMENT, scopes=("cases",))

# every combination in turn: sixty cases of one department, one applicant each three
FILL = """
    INSERT INTO cases (number, item, item_version, department, region, kind, applicant, channel, submitted_at,
        updated_at, status, status_before_correction, decision, sequence, form, request_digest, handler, assignee,
        clock_from, due_on, due_stage)
    SELECT next_case_number(DATE '2090-01-01' + n), item, 1, :department, CASE n % 2 WHEN 0 THEN '511602' ELSE '810000' END,
        'other', 'applicant-' || n % 20 || :department, (ARRAY['web', 'app', 'hall'])[1 + n % 3], now(), now(), status,
        CASE status WHEN 'correction_requested' THEN 'submitted' END,
        CASE status WHEN 'closed' THEN (ARRAY['approved', 'refused'])[1 + n / 5 % 2] END, 1, '{}', '',
        CASE WHEN n % 10 = 0 THEN :other END, CASE n % 4 WHEN 0 THEN :me WHEN 1 THEN 'somebody' END,
        CASE WHEN n % 7 < 6 THEN DATE '2090-01-01' + n END,
        CASE WHEN n % 6 < 5 THEN DATE '2090-01-01' + (n * 37 % 60) END, n % 5
    FROM generate_series(0, :count - 1) AS n
    CROSS JOIN LATERAL (SELECT
        (ARRAY['elderly-card', 'residence-permit', 'birth-registration'])[1 + n % 3] AS item,
        (ARRAY['submitted', 'accepted', 'correction_requested', 'closed', 'lapsed'])[1 + n % 5] AS status) AS made
"""  # noqa: E501


@pytest.fixture(scope="module", autouse=True)
def filled(cases_database):
    fill(cases_database, DEPARTMENT, 60)
    fill(cases_database, OTHER, 5)


def fill(database, department, count):
    values = {"department": department, "other": OTHER, "me": OFFICER.subject, "count": count}
    with database.transaction() as session:
        session.execute(text(FILL), values)


@pytest.fixture
def listed(cases_database):
    """Every case of a list, page by page."""

    def all_pages(actor=OFFICER, limit=100, **asked):
        cases, cursor = [], None
        while True:
            with cases_database.transaction() as session:
                answer = queries.list_cases(session, CATALOGUE, actor, cursor, limit, asked)
            cases += answer["items"]
            cursor = answer["next"]
            if cursor is None:
                return cases

    return all_pages


def test_each_filter_leaves_those_that_show_what_was_asked_for(listed):
    everything = listed()
    assert len(everything) == 60
    for name, shown in (
        ("status", lambda case: case["status"]),
        ("item", lambda case: case["item"]),
        ("region", lambda case: case["region"]),
        ("channel", lambda case: case["channel"]),
        ("due", lambda case: case["due"]["state"]),
        ("handler", lambda case: case["handled_by"]),
    ):
        counts = Counter(shown(case) for case in everything)
        assert len(counts) > 1, name
        for value in counts:
            found = [case for case in listed(**{name: value}) if case["department"] == DEPARTMENT]
            assert [case["number"] for case in found] == [
                case["number"] for case in everything if shown(case) == value
            ], (name, value)


def test_groups_of_states_decisions_and_who_has_it(listed):
    everything = listed()
    assert len(listed(status="open")) + len(listed(status="ended")) == len(everything)
    decided = [case for case in everything if case["decision"] == "refused"]
    assert listed(status="refused") == decided
    parts = [listed(assigned=who) for who in ("me", "nobody", "colleague")]
    assert [len(part) for part in parts] == [15, 30, 15]


def test_days_of_filing_are_both_inside(listed):
    found = listed(**{"from": "2090-01-11", "until": "2090-01-13"})
    assert [case["number"][:8] for case in found] == ["20900113", "20900112", "20900111"]


def test_what_is_due_first_comes_first_and_pages_join_without_gap_or_double(listed):
    first = listed(sort="limit", limit=100)
    assert [case["number"] for case in listed(sort="limit", limit=3)] == [case["number"] for case in first]
    assert {case["status"] for case in first} == {"submitted", "accepted", "correction_requested"}
    assert [case["number"] for case in listed(limit=7)] == [case["number"] for case in listed()]


def test_handled_here_is_own_work_and_what_was_passed_here(listed):
    theirs = replace(OFFICER, department=OTHER)
    found = listed(theirs, handler=OTHER)
    assert Counter(case["department"] for case in found) == {DEPARTMENT: 6, OTHER: 5}
    assert {case["handled_by"] for case in found} == {OTHER}
    assert len(listed(handler=OTHER)) == 6


@pytest.mark.parametrize("words", ["敬老", "Elderly", "居住证", "居住證", "jzz"])
def test_items_are_found_by_their_names_in_either_script(listed, words):
    found = listed(q=words)
    assert found
    assert {case["item"] for case in found} <= {item.code for item in CATALOGUE.search(words).items}
    assert [case["number"] for case in listed(q=words, limit=3)] == [case["number"] for case in found]


def test_a_case_is_found_by_its_number_and_by_how_it_begins(listed):
    wanted = listed()[0]
    assert listed(q=f" {wanted['number'][:9]} {wanted['number'][9:]}") == [wanted]
    assert [case["number"][:8] for case in listed(q="20900105")] == ["20900105"]


def test_internal_notes_are_found_by_who_may_read_them(listed, cases_database):
    case = listed(status="open")[3]
    with cases_database.transaction() as session:
        notes.add_note(session, OFFICER, case["number"], "請補交社會保險憑證，電話 13812345678", datetime.now(UTC))
    for words in ("社会保险", "社會保險", "憑證 補交"):
        assert [each["number"] for each in listed(q=words)] == [case["number"]]
    assert listed(replace(OFFICER, department=OTHER), q="社会保险") == []
    assert listed(Actor(subject=case["applicant"], client="web"), q="社会保险") == []
    assert listed(q="13812345678") == [], "people are not found by their numbers"


def test_a_case_that_is_found_by_its_item_and_by_its_note_stands_in_the_list_once(listed, cases_database):
    before = [case["number"] for case in listed(q="Elderly")]
    with cases_database.transaction() as session:
        notes.add_note(session, OFFICER, before[1], "elderly card was shown", datetime.now(UTC))
    assert [case["number"] for case in listed(q="Elderly")] == before


def test_words_are_pairs_of_one_script_and_no_long_numbers():
    assert words_of("社會保險 ABC-12") == ["社会", "会保", "保险", "abc", "12"]
    assert words_of("13812345678 110101199003071234 x") == ["x"]


def test_forms_and_people_are_not_searched(listed, cases_database):
    applicant = Actor(subject=str(uuid.uuid4()), client="web")
    form = CATALOGUE.get("elderly-card").description["example"]
    filing = commands.prepare_filing(CATALOGUE, applicant, "elderly-card", form, None)
    with cases_database.transaction() as session:
        commands.submit_case(session, CATALOGUE, replace(filing, department=DEPARTMENT), datetime.now(UTC))
    for said in [applicant.subject, *(str(value) for value in form.values())]:
        assert applicant.subject not in {case["applicant"] for case in listed(q=said) if said not in ("1", "2")}


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"status": "x"}, "/status"),
        ({"due": "late"}, "/due"),
        ({"from": "2090-02-30"}, "/from"),
        ({"from": "2090-02-02", "until": "2090-02-01"}, "/until"),
        ({"sort": "applicant"}, "/sort"),
        ({"sort": "limit", "status": "closed"}, "/sort"),
        ({"q": "x" * 101}, "/q"),
        ({"applicant": "somebody"}, "/applicant"),
        ({"item": "\0"}, "/item"),
        ({"q": 5}, "/q"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_place(listed, asked, pointer):
    with pytest.raises(InvalidInput) as refusal:
        listed(**asked)
    assert [fault["pointer"] for fault in refusal.value.faults] == [pointer]


@pytest.mark.parametrize("odd", ["'; DROP TABLE cases; --", "%", "_", "\\", ":me", "%(me)s", "𠀀", "&|!", "' OR 1=1"])
def test_words_are_never_part_of_a_statement(listed, odd):
    for name in ("q", "item", "region", "handler", "department"):
        assert listed(**{name: odd}) == []


def test_a_cursor_of_another_order_is_refused(cases_database):
    with cases_database.transaction() as session:
        by_limit = queries.list_cases(session, CATALOGUE, OFFICER, None, 5, {"sort": "limit"})["next"]
        with pytest.raises(InvalidInput):
            queries.list_cases(session, CATALOGUE, OFFICER, by_limit, 5, {})


def test_only_staff_are_told_who_has_it_and_only_within_one_department_is_there_an_order_of_limits(listed):
    for actor in (Actor(subject="x", client="web"), PROGRAM, replace(CLERK, subject="c", act="carol")):
        with pytest.raises(NotPermitted):
            listed(actor, assigned="nobody")
    with pytest.raises(InvalidInput):
        listed(CLERK, sort="limit")
    assert listed(CLERK, sort="limit", department=DEPARTMENT) == listed(sort="limit")


def test_a_filter_widens_nobodys_sight(listed):
    applicant = listed()[0]["applicant"]
    own = listed(Actor(subject=applicant, client="web"))
    assert {case["applicant"] for case in own} == {applicant}
    for asked in ({"department": DEPARTMENT}, {"handler": OTHER}, {"q": "居住证"}, {"sort": "limit"}):
        found = listed(Actor(subject=applicant, client="web"), **asked)
        assert {case["applicant"] for case in found} <= {applicant}
    agent = Actor(subject=applicant, client="web", act="b", mandate=Mandate(item=own[0]["item"], case=own[0]["number"]))
    assert [case["number"] for case in listed(agent, q="证")] in ([own[0]["number"]], [])
    assert listed(OFFICER, department=OTHER) == []
    assert listed(PROGRAM, handler=OTHER) == listed(handler=OTHER)


def of_officer(asked):
    return lambda session, limit: queries.list_cases(session, CATALOGUE, OFFICER, None, limit, asked)


def of_work(session, limit):
    asked = {"shown": None, "cursor": None, "limit": limit, "name": None}
    return worklist.list_work(session, CATALOGUE, OFFICER, datetime.now(UTC), **asked)


EVERY_LIST = {
    "cases": of_officer({}),
    "cases by limit": of_officer({"sort": "limit"}),
    "cases by filters": of_officer({"status": "open", "channel": "web", "due": "overdue"}),
    "cases by words": of_officer({"q": "登记"}),
    "cases handled": of_officer({"handler": DEPARTMENT}),
    "own cases": lambda session, limit: queries.list_cases(session, CATALOGUE, MANY, None, limit, {}),
    "own cases in full": lambda session, limit: own_data.list_own_cases(session, CATALOGUE, MANY, None, limit),
    "work": of_work,
    "rows": lambda session, _: export.list_rows(session, CATALOGUE, OFFICER, {}, None),
    "subscriptions": lambda session, limit: subscription_queries.list_subscriptions(
        session, CATALOGUE, replace(OFFICER, department="civil-affairs", scopes=("cases",)), None, limit
    ),
}
MANY_SUBSCRIPTIONS = """
    INSERT INTO subscriptions (owner, name, filter, patterns, delivery, start, created_at, created_by)
    SELECT 'civil-affairs', 'many-' || n,
        '{"types": ["*"], "departments": ["civil-affairs"], "regions": ["*"], "kinds": ["*"], "items": ["*"]}',
        '{}', 'amqp', 'now', now(), 'x' FROM generate_series(1, 50) AS n
"""
MANY = Actor(subject=f"many-{DEPARTMENT}", client="web")


@pytest.mark.parametrize("name", EVERY_LIST)
def test_no_list_makes_more_queries_with_more_rows(cases_database, name):
    with cases_database.transaction() as session:
        session.execute(
            text("UPDATE cases SET applicant = :many WHERE department = :department"),
            {"many": MANY.subject, "department": DEPARTMENT},
        )
        session.execute(text(MANY_SUBSCRIPTIONS))
        EVERY_LIST[name](session, 1)  # who is seen for the first time is noted
        made, rows = [], []
        for limit in (1, 50):
            with counting(cases_database) as statements:
                answer = EVERY_LIST[name](session, limit)
            made.append(len(statements))
            rows.append(len(answer["items"]))
        session.rollback()
    assert made[0] == made[1] <= 5
    assert name == "rows" or rows[0] == 1 < rows[1]


def test_rows_to_take_away_hold_nothing_of_people(cases_database):
    with cases_database.transaction() as session:
        rows = export.list_rows(session, CATALOGUE, OFFICER, {"status": "open"}, None)["items"]
    assert rows
    assert not {"applicant", "form", "assignee", "step"} & set().union(*rows)


def test_only_officers_and_operators_take_rows_away(cases_database):
    with cases_database.transaction() as session:
        assert export.list_rows(session, CATALOGUE, OPERATOR, {"department": OTHER}, None)["items"]
        for actor in (CLERK, PROGRAM, Actor(subject="x", client="web"), replace(OFFICER, act="b")):
            with pytest.raises(NotPermitted):
                export.list_rows(session, CATALOGUE, actor, {}, None)
            with pytest.raises(NotPermitted):
                export.get_end(session, CATALOGUE, actor, {}, None)


def test_a_file_ends_where_the_next_one_begins(cases_database, monkeypatch):
    monkeypatch.setattr(export, "MOST_ROWS", 25)
    ends, cursor = [], None
    with cases_database.transaction() as session:
        everything = export.list_rows(session, CATALOGUE, OFFICER, {}, None)["items"]
        while True:
            cursor = export.get_end(session, CATALOGUE, OFFICER, {}, cursor)["next"]
            if cursor is None:
                break
            ends.append(export.list_rows(session, CATALOGUE, OFFICER, {}, cursor)["items"][0]["number"])
    assert ends == [everything[25]["number"], everything[50]["number"]]


def test_notes_of_before_are_read_later(cases_database, listed):
    number = listed()[5]["number"]
    with cases_database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO case_notes (number, at, author, role, text) VALUES (:n, now(), 'x', 'clerk', '旧的备注')"
            ),
            {"n": number},
        )
        unread = store.lock_unread_notes(session, 10)
        store.save_words(session, {note: words_of(said) for note, said in unread})
        assert store.lock_unread_notes(session, 10) == []
    assert [case["number"] for case in listed(q="备注")] == [number]


def test_an_operator_takes_a_list_away_without_finding_what_notes_say(cases_database, listed):
    number = listed()[0]["number"]
    word = f"remark{uuid.uuid4().hex[:8]}"
    with cases_database.transaction() as session:
        notes.add_note(session, OFFICER, number, f"see the {word} of the neighbour", datetime.now(UTC))
    with cases_database.transaction() as session:
        found = export.list_rows(session, CATALOGUE, OFFICER, {"q": word}, None)["items"]
        assert [each["number"] for each in found] == [number]
        assert export.list_rows(session, CATALOGUE, OPERATOR, {"q": word}, None)["items"] == []
        with pytest.raises(InvalidInput):
            export.list_rows(session, CATALOGUE, OPERATOR, {"sort": "limit"}, None)


@pytest.mark.parametrize("day", ["9999-12-31", "0999-01-01"])
def test_a_day_that_nobody_means_is_none(listed, day):
    for name in ("from", "until"):
        with pytest.raises(InvalidInput):
            listed(**{name: day})


def test_a_persons_cases_are_shown_as_far_as_staff_may_see_them(cases_database):
    person = f"applicant-0{DEPARTMENT}"

    def of_person(actor):
        with cases_database.transaction() as session:
            return persons.list_cases_of(session, CATALOGUE, actor, person)

    own = of_person(OFFICER)
    assert own["is_whole"]
    assert {case["number"][:4] for case in own["items"]} == {"2090"}
    assert len(own["items"]) == 3
    assert [case["number"] for case in own["items"]] == sorted((case["number"] for case in own["items"]), reverse=True)
    # every one of them was passed there
    assert of_person(replace(OFFICER, department=OTHER)) == own
    assert of_person(CLERK) == own
    assert of_person(replace(OFFICER, department="strangers"))["items"] == []
    regions = {case["region"] for case in own["items"]}
    for region in (*regions, "650100"):
        found = of_person(replace(OFFICER, region=region))["items"]
        assert [case["number"] for case in found] == [
            case["number"] for case in own["items"] if case["region"] == region
        ]
    citizen = Actor(subject=person, client="web")
    for stranger in (citizen, PROGRAM, OPERATOR, replace(CLERK, subject=person, act="carol")):
        with pytest.raises(NotPermitted):
            of_person(stranger)


def test_of_a_person_with_many_cases_the_newest_come(cases_database, monkeypatch):
    monkeypatch.setattr(persons, "MAX_LIMIT", 2)
    with cases_database.transaction() as session, counting(cases_database) as statements:
        found = persons.list_cases_of(session, CATALOGUE, CLERK, f"applicant-0{DEPARTMENT}")
    assert (len(found["items"]), found["is_whole"]) == (2, False)
    assert len(statements) == 1
