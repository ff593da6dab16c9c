"""An agent does what the mandate says for the principal, and nothing besides; the history says who it was."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from contracts.actors import Actor, Mandate
from contracts.errors import NotFound, NotPermitted
from services.cases import commands, queries
from services.cases.catalogue.files import shipped
from services.cases.lists import queries as lists
from tests.seals import RESULTS

CATALOGUE = shipped()
NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)


@pytest.fixture
def citizen():
    return Actor(subject=str(uuid.uuid4()), client="web", scopes=("cases",))


@pytest.fixture
def agent(citizen):
    def acting(**limits):
        mandate = Mandate(**limits) if limits else None
        return replace(citizen, act="the-agent", mandate=mandate)

    return acting


@pytest.fixture
def submit(cases_database, citizen):
    def submit_case(item, actor=None):
        form = CATALOGUE.get(item).description["example"]
        filing = commands.prepare_filing(CATALOGUE, actor or citizen, item, form, None)
        with cases_database.transaction() as session:
            return commands.submit_case(session, CATALOGUE, filing, NOW)["number"]

    return submit_case


@pytest.fixture
def seen(cases_database):
    """The numbers that an actor's list holds, and which of some others the actor can open."""

    def see(actor, *numbers):
        with cases_database.transaction() as session:
            listed = [case["number"] for case in lists.list_cases(session, CATALOGUE, actor, None, 100)["items"]]
            opened = [number for number in numbers if opens(session, actor, number)]
        return sorted(listed), sorted(opened)

    return see


def opens(session, actor, number):
    for read in (
        lambda: queries.get_case(session, CATALOGUE, actor, number),
        lambda: queries.get_case_file(session, CATALOGUE, actor, number),
        lambda: queries.get_history(session, actor, number),
    ):
        try:
            read()
        except NotFound:
            return False
    return True


def test_an_agent_for_an_item_files_it_and_sees_the_cases_of_it_only(submit, agent, seen):
    card, permit = submit("elderly-card"), submit("residence-permit")
    acting = agent(item="elderly-card")
    filed = submit("elderly-card", acting)
    assert seen(acting, card, permit, filed) == (sorted([card, filed]), sorted([card, filed]))
    with pytest.raises(NotPermitted):
        submit("residence-permit", acting)


def test_an_agent_for_a_case_sees_that_one_and_files_nothing(submit, agent, seen):
    mine, other = submit("elderly-card"), submit("elderly-card")
    acting = agent(case=mine)
    assert seen(acting, mine, other) == ([mine], [mine])
    with pytest.raises(NotPermitted):
        submit("elderly-card", acting)


def test_a_mandate_for_somebody_elses_case_opens_nothing(submit, agent, seen, citizen):
    foreign = submit("elderly-card", replace(citizen, subject=str(uuid.uuid4())))
    assert seen(agent(case=foreign), foreign) == ([], [])


def test_a_guardian_sees_all(submit, agent, seen):
    numbers = sorted([submit("elderly-card"), submit("residence-permit")])
    assert seen(agent(), *numbers) == (numbers, numbers)


def test_an_agent_acts_on_no_other_case(submit, agent, cases_database):
    mine, other = submit("elderly-card"), submit("elderly-card")
    with cases_database.transaction() as session, pytest.raises(NotFound):
        commands.act_on_case(
            session, CATALOGUE, agent(case=mine), other, "withdraw", note=None, form=None, now=NOW, result_seal=RESULTS
        )


def test_the_history_says_that_an_agent_did_it_and_keeps_who(submit, agent, cases_database, citizen):
    number = submit("elderly-card", agent(item="elderly-card"))
    with cases_database.transaction() as session:
        commands.act_on_case(
            session,
            CATALOGUE,
            agent(case=number),
            number,
            "withdraw",
            note=None,
            form=None,
            now=NOW,
            result_seal=RESULTS,
        )
        history = queries.get_history(session, citizen, number)["items"]
        kept = session.execute(
            text("SELECT actor_subject FROM case_history WHERE number = :n"), {"n": number}
        ).scalars()
    assert [entry["actor"] for entry in history] == ["agent", "agent"]
    assert set(kept) == {"the-agent"}


def test_an_agents_look_is_in_the_principals_access_log(submit, agent, seen, cases_database):
    number = submit("elderly-card")
    seen(agent(case=number), number)
    with cases_database.transaction() as session:
        found = text("SELECT body FROM outbox WHERE routing_key LIKE 'data.viewed.%' AND body LIKE :number")
        bodies = list(session.execute(found, {"number": f"%{number}%"}).scalars())
    assert len(bodies) == 2
    assert all('"role":"agent"' in body and '"viewer":"the-agent"' in body for body in bodies)
