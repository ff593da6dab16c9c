"""Looks at a case by anybody but the applicant are told to the access log, with the reading."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.errors import InvalidInput, NotFound
from services.cases import commands, looks, queries, store
from services.cases.catalogue.files import shipped
from services.cases.lists import queries as lists

CATALOGUE = shipped()
NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
PROGRAM = Actor(subject="dept", client="dept", department="civil-affairs", scopes=("cases",))


@pytest.fixture
def citizen():
    return Actor(subject=str(uuid.uuid4()), client="web")


@pytest.fixture
def number(cases_database, citizen):
    form = CATALOGUE.get("elderly-card").description["example"]
    filing = commands.prepare_filing(CATALOGUE, citizen, "elderly-card", form, None)
    with cases_database.transaction() as session:
        return commands.submit_case(session, CATALOGUE, filing, NOW)["number"]


@pytest.fixture
def read(cases_database, number):
    def get_case_file(actor, purpose=None):
        with cases_database.transaction() as session:
            return queries.get_case_file(session, CATALOGUE, actor, number, purpose)

    return get_case_file


@pytest.fixture
def told(cases_database, number):
    def list_looks():
        found = text("SELECT body FROM outbox WHERE routing_key LIKE 'data.viewed.%' AND body LIKE :number ORDER BY id")
        with cases_database.transaction() as session:
            bodies = session.execute(found, {"number": f"%{number}%"}).scalars()
            return [Envelope.from_json(body) for body in bodies]

    return list_looks


def test_an_officers_look_says_who_at_what_and_why(read, told, citizen, number):
    read(OFFICER)
    [look] = told()
    data = look.data
    assert (data.account, data.viewer, data.role, data.department) == (
        citizen.subject,
        "dan",
        "officer",
        "civil-affairs",
    )
    assert (data.what, data.number, data.purpose, look.channel) == ("case", number, "handling", "web")
    assert look.sequence == 1


@pytest.mark.parametrize(
    ("actor", "role", "purpose"),
    [(CLERK, "clerk", "counter"), (OFFICER, "officer", "handling"), (PROGRAM, "program", "automatic")],
    ids=["clerk", "officer", "program"],
)
def test_every_role_is_named_for_what_it_is(read, told, actor, role, purpose):
    read(actor)
    assert [(look.data.role, look.data.purpose) for look in told()] == [(role, purpose)]


def test_staff_may_say_why(read, told):
    read(OFFICER, "complaint")
    assert [look.data.purpose for look in told()] == ["complaint"]


@pytest.mark.parametrize("purpose", ["", "audit", "because", "x" * 1000])
def test_a_reason_that_is_none_is_refused_and_nothing_is_shown(read, told, purpose):
    with pytest.raises(InvalidInput):
        read(OFFICER, purpose)
    assert told() == []


def test_a_citizens_own_look_is_none_of_the_log(read, told, citizen):
    read(citizen)
    read(replace(citizen, client="app", channel="app"))
    assert told() == []


def test_a_strangers_client_that_reads_with_the_citizens_token_is_one(read, told, citizen):
    read(replace(citizen, client="rp-test"))
    assert [(look.data.viewer, look.data.role, look.data.purpose) for look in told()] == [
        ("rp-test", "client", "consented")
    ]


def test_reading_again_is_the_same_look_and_later_another_one(cases_database, number, told):
    with cases_database.transaction() as session:
        case = store.load_case(session, number)
        for minutes in (0, 9, 11):
            looks.note(session, OFFICER, case, "case", now=NOW + timedelta(minutes=minutes))
        looks.note(session, OFFICER, case, "history", now=NOW)
    assert [look.data.what for look in told()] == ["case", "case", "history"]


def test_who_sees_nothing_has_not_looked(read, told):
    with pytest.raises(NotFound):
        read(replace(OFFICER, department="market-regulation"))
    assert told() == []


def test_a_list_shows_nothing_that_is_a_look(cases_database, told):
    with cases_database.transaction() as session:
        lists.list_cases(session, CATALOGUE, OFFICER, None, 100)
    assert told() == []
