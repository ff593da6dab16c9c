"""Mandates: given, accepted, used and ended; nobody learns by them who has an account, and nobody gets more by them."""

import itertools
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from contracts import access
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotFound, NotPermitted, SignInRefused
from services.identity.access_log import store as access_log
from services.identity.mandates import commands, domain, queries
from services.identity.mandates.acting import act_for
from services.identity.mandates.commands import Guardianship
from services.identity.mandates.domain import TOKEN_TYPE
from services.identity.oauth.server import Provider
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars, with_check_digit
from services.identity.web_sessions import save_web_session
from tests.integration.identity_driver import claims_of

ITEM, NUMBER = "elderly-card", "202611240000000012"


# many here are born on one day, and no two may have one number
_SERIALS = itertools.count(secrets.randbelow(1000))


def id_number(born):
    return with_check_digit(f"110101{born:%Y%m%d}{next(_SERIALS) % 1000:03}")


def born(driver, years, days=0):
    return (driver.now - timedelta(days=365.25 * years + days)).date()


@pytest.fixture
def people(driver):
    """A principal and an agent, who is signed in in this browser."""
    driver.principal, driver.agent = driver.register(), driver.register()
    driver.sign_in(driver.agent)
    return driver


def as_person(account, **changes):
    return Actor(account.subject, **{"client": "web", "scopes": ("cases",)} | changes)


def grant(driver, agent=None, by=None, **changes):
    asked = {"item": ITEM, "number": None, "until": f"{driver.now + timedelta(days=30):%Y-%m-%d}"} | changes
    named = driver.agent.username if agent is None else agent
    with driver.database.transaction() as session:
        actor = by or as_person(driver.principal)
        return commands.grant(session, driver.vault, actor, named, now=driver.now, **asked)


def change(driver, command, account, mandate):
    with driver.database.transaction() as session:
        command(session, as_person(account), mandate["id"], driver.now)


def listed(driver, account):
    with driver.database.transaction() as session:
        return queries.list_mandates(session, as_person(account), driver.now)


def exchange(driver, mandate, token=None, client="web"):
    token = token or driver.tokens(client)["access_token"]
    return driver.exchange_token(token, mandate["id"], subject_token_type=TOKEN_TYPE, client=client)


@pytest.fixture
def accepted(people):
    mandate = grant(people)
    change(people, commands.accept, people.agent, mandate)
    return mandate


def refused(reply):
    assert (reply.status, reply.json["error"]) == (400, "invalid_request"), reply.text


# An authorisation


@pytest.mark.parametrize(
    ("scope", "detail"),
    [({}, {"item": ITEM}), ({"item": None, "number": NUMBER}, {"case": NUMBER})],
    ids=["item", "case"],
)
def test_an_agent_acts_for_the_principal_within_what_was_said(people, scope, detail):
    mandate = grant(people, **scope)
    change(people, commands.accept, people.agent, mandate)
    reply = exchange(people, mandate)
    assert reply.status == 200, reply.text
    assert reply.json["expires_in"] <= 300
    claims = claims_of(reply.json["access_token"])
    assert (claims["sub"], claims["act"]) == (people.principal.subject, {"sub": people.agent.subject})
    assert claims["authorization_details"] == [{"type": "urn:onehall:mandate"} | detail]
    assert (claims["roles"], claims["scope"]) == ([], "cases")


def test_nothing_is_opened_before_it_is_accepted_nor_after_it_was_declined(people):
    mandate = grant(people)
    refused(exchange(people, mandate))
    change(people, commands.end, people.agent, mandate)
    refused(exchange(people, mandate))
    with pytest.raises(NotFound):
        change(people, commands.accept, people.agent, mandate)


@pytest.mark.parametrize("side", ["principal", "agent"])
def test_either_side_ends_it_at_once(people, accepted, side):
    change(people, commands.end, getattr(people, side), accepted)
    refused(exchange(people, accepted))
    [given] = listed(people, people.principal)["given"]
    assert (given["status"], given["ended_by"]) == ("ended", side)


def test_it_ends_after_its_last_day(people):
    mandate = grant(people, until=f"{people.now + timedelta(days=1):%Y-%m-%d}")
    change(people, commands.accept, people.agent, mandate)
    people.after(days=3)
    people.sign_in(people.agent)
    refused(exchange(people, mandate))


def test_an_offer_waits_for_two_weeks(people):
    mandate = grant(people)
    people.after(days=15)
    assert listed(people, people.agent)["received"] == []
    with pytest.raises(NotFound):
        change(people, commands.accept, people.agent, mandate)


def test_nobody_else_accepts_ends_or_uses_it(people, accepted):
    stranger = people.register()
    offered = grant(people, item="residence-permit")
    for command, account, mandate in (
        (commands.accept, stranger, offered),
        (commands.accept, people.principal, offered),
        (commands.end, stranger, accepted),
    ):
        with pytest.raises(NotFound):
            change(people, command, account, mandate)
    people.sign_in(stranger)
    refused(exchange(people, accepted))


def test_what_was_entrusted_is_not_handed_on(people, accepted):
    acting = as_person(people.principal, act=people.agent.subject)
    with pytest.raises(NotPermitted):
        grant(people, by=acting)
    with people.database.transaction() as session, pytest.raises(NotPermitted):
        queries.list_mandates(session, acting, people.now)
    first = exchange(people, accepted).json["access_token"]
    refused(exchange(people, accepted, token=first))


def test_a_program_and_nobody_give_none(people):
    for actor in (Actor("", ""), Actor("dept", "dept", scopes=("cases",))):
        with pytest.raises(NotPermitted):
            grant(people, by=actor)


@pytest.mark.parametrize("mandate", ["", "x", "0", "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_mandate_opens_nothing(people, mandate):
    reply = exchange(people, {"id": mandate or " "})
    assert reply.status == 400


def test_at_the_counter_a_clerk_is_a_clerk_and_no_agent(people, accepted):
    refused(exchange(people, accepted, client="hall"))


def test_each_use_is_in_the_principals_access_log(people, accepted):
    exchange(people, accepted)
    exchange(people, accepted)
    with people.database.transaction() as session:
        rows = access_log.list_of(session, people.principal.subject, None, None, 10)
    assert [(row.viewer, row.role, row.what, row.purpose, row.agent_name) for row in rows] == [
        (people.agent.subject, access.AGENT, access.IDENTITY, access.ON_BEHALF, people.agent.name)
    ]


def test_it_is_as_sure_as_the_less_sure_of_the_two(people, accepted):
    """Else who is sure of themselves would lend it to somebody who only says who they are."""
    with people.database.transaction() as session:
        sure = text("UPDATE accounts SET assurance = 3 WHERE subject = :subject")
        session.execute(sure, {"subject": people.agent.subject})
    people.sign_in(people.agent)
    assert claims_of(exchange(people, accepted).json["access_token"])["acr"] == "1"
    with people.database.transaction() as session:
        session.execute(sure, {"subject": people.principal.subject})
    people.sign_in(people.agent)
    assert claims_of(exchange(people, accepted).json["access_token"])["acr"] == "3"


def test_the_web_channels_session_exchanges_it_for_itself(people, accepted):
    tokens = people.tokens("web")
    with people.database.transaction() as session:
        web_sessions = people.web_sessions(session)
        secret = save_web_session(session, web_sessions, "web", tokens, people.now)
        provider = Provider(session, people.issuer(session), people.now)
        found = act_for(provider, web_sessions, secret, accepted["id"])
        assert (found["name"], found["item"], found["number"]) == (people.principal.name, ITEM, None)
        assert claims_of(found["access_token"])["act"] == {"sub": people.agent.subject}
        assert act_for(provider, web_sessions, "nothing", accepted["id"]) is None
        commands.end(session, as_person(people.principal), accepted["id"], people.now)
        for mandate in (accepted["id"], "nothing"):
            with pytest.raises(NotFound):
                act_for(provider, web_sessions, secret, mandate)


# What it tells


def test_naming_somebody_tells_nothing_of_whether_they_are_there(people):
    there = grant(people, people.agent.username)
    nobody = grant(people, "nobody-of-this-name")
    assert there.keys() == nobody.keys()
    changing = ("id", "name")
    assert {k: v for k, v in there.items() if k not in changing} == {
        k: v for k, v in nobody.items() if k not in changing
    }
    assert there["name"] == people.agent.username[:2] + "***"
    given = listed(people, people.principal)["given"]
    assert {mandate["status"] for mandate in given} == {"offered"}


def test_the_agents_name_is_told_once_they_accept(people, accepted):
    assert listed(people, people.principal)["given"][0]["name"] == people.agent.name
    assert listed(people, people.agent)["received"][0]["name"] == people.principal.name


def test_somebody_is_found_by_a_confirmed_number_only(people):
    number = id_number(born(people, 40))
    with people.database.transaction() as session:
        persons.save(session, people.vault, people.agent.subject, Particulars(id_number=number))
    grant(people, number)
    assert listed(people, people.agent)["received"] == []
    with people.database.transaction() as session:
        persons.save(session, people.vault, people.agent.subject, Particulars(id_number=number), people.now)
    mandate = grant(people, number)
    assert listed(people, people.agent)["received"][0]["id"] == mandate["id"]
    assert number not in str(listed(people, people.principal))


def test_guesses_are_few(people):
    for _ in range(domain.MOST_A_DAY):
        grant(people, "nobody-of-this-name")
    with pytest.raises(InvalidInput) as refusal:
        grant(people, "nobody-of-this-name")
    assert refusal.value.faults[0]["rule"] == "maxADay"


@pytest.mark.parametrize(
    "changes",
    [
        {"item": None},
        {"number": NUMBER},
        {"item": "a.b"},
        {"item": None, "number": "1"},
        {"item": None, "number": "१" * 18},
        {"until": "2020-01-01"},
        {"until": "tomorrow"},
        {"until": "9999-12-31"},
        {"agent": ""},
        {"agent": "x" * 301},
        {"agent": "\ud800"},
        {"agent": 5},
    ],
    ids=str,
)
def test_a_wrong_request_is_refused_and_changes_nothing(people, changes):
    with pytest.raises(InvalidInput):
        grant(people, **changes)
    assert listed(people, people.principal)["given"] == []


def test_nobody_authorises_themselves(people):
    with pytest.raises(InvalidInput):
        grant(people, people.principal.username)


# Guardians


@pytest.fixture
def guardian(people):
    """The agent, whose ID number is confirmed: `guardian_number`; and a clerk at the hall."""
    people.guardian_number = id_number(born(people, 35))
    with people.database.transaction() as session:
        particulars = Particulars(id_number=people.guardian_number)
        persons.save(session, people.vault, people.agent.subject, particulars, people.now)
    people.clerk = people.register(roles=("clerk",))
    return people.agent


def at_counter(driver, **changes):
    return as_person(driver.clerk, **{"client": "hall", "channel": "hall", "roles": ("clerk",)} | changes)


def confirm(driver, ward_number, actor=None, name="A Child", until=None, guardian_number=None):
    seen = Guardianship(ward_number, name, guardian_number or driver.guardian_number, until)
    with driver.database.transaction() as session:
        return commands.confirm_guardianship(session, driver.vault, actor or at_counter(driver), seen, driver.now)


def test_a_guardian_acts_for_a_child_in_everything_until_it_comes_of_age(people, guardian):
    child = id_number(born(people, 17, 360))
    mandate = confirm(people, child)
    claims = claims_of(exchange(people, mandate).json["access_token"])
    assert claims["act"] == {"sub": guardian.subject}
    assert "authorization_details" not in claims
    with people.database.transaction() as session:
        assert persons.find_by_id_number(session, people.vault, child) == claims["sub"]
    people.after(days=10)
    people.sign_in(people.agent)
    refused(exchange(people, mandate))


def test_nobody_signs_in_to_a_wards_account(people, guardian):
    confirm(people, id_number(born(people, 5)))
    [ward] = listed(people, guardian)["received"]
    with people.database.transaction() as session:
        principal = commands.store.load(session, ward["id"]).principal
        account = commands.identity_store.get_account(session, principal)
    with pytest.raises(SignInRefused):
        people.sign_in(account)


def test_confirmed_again_the_new_one_takes_the_place_of_the_old(people, guardian):
    child = id_number(born(people, 5))
    first, second = confirm(people, child), confirm(people, child)
    refused(exchange(people, first))
    assert exchange(people, second).status == 200


def test_a_grown_up_ward_needs_an_end_within_a_year(people, guardian):
    ward = id_number(born(people, 50))
    for until in (None, f"{people.now + timedelta(days=400):%Y-%m-%d}"):
        with pytest.raises(InvalidInput):
            confirm(people, ward, until=until)
    confirm(people, ward, until=f"{people.now + timedelta(days=300):%Y-%m-%d}")


def test_the_guardian_ends_it_and_the_ward_does_not(people, guardian):
    mandate = confirm(people, id_number(born(people, 5)))
    with people.database.transaction() as session:
        ward = commands.identity_store.get_account(session, commands.store.load(session, mandate["id"]).principal)
    with pytest.raises(NotPermitted):
        change(people, commands.end, ward, mandate)
    change(people, commands.end, guardian, mandate)
    refused(exchange(people, mandate))


@pytest.mark.parametrize(
    "changes",
    [{"channel": "web"}, {"roles": ()}, {"roles": ("officer",)}, {"act": "somebody"}],
    ids=["not at the hall", "citizen", "officer", "for another"],
)
def test_only_a_clerk_at_the_hall_confirms(people, guardian, changes):
    with pytest.raises(NotPermitted):
        confirm(people, id_number(born(people, 5)), at_counter(people, **changes))


def test_a_clerk_confirms_nothing_for_themselves(people, guardian):
    with pytest.raises(NotFound):
        confirm(people, id_number(born(people, 5)), as_clerk(guardian))


def as_clerk(account):
    return as_person(account, client="hall", channel="hall", roles=("clerk",))


@pytest.mark.parametrize(
    ("ward", "guardian_number", "error"),
    [
        ("1", None, InvalidInput),
        (None, "110101", InvalidInput),
        (None, "same", InvalidInput),
        (None, "unknown", NotFound),
    ],
    ids=["no ward", "no guardian", "oneself", "unknown guardian"],
)
def test_a_guardianship_that_cannot_be_is_refused(people, guardian, ward, guardian_number, error):
    child = ward or id_number(born(people, 5))
    number = {"same": child, "unknown": id_number(born(people, 60))}.get(guardian_number, guardian_number)
    with pytest.raises(error):
        confirm(people, child, guardian_number=number)


def test_a_child_is_nobodys_guardian(people, guardian):
    young = people.register()
    number = id_number(born(people, 15))
    with people.database.transaction() as session:
        persons.save(session, people.vault, young.subject, Particulars(id_number=number), people.now)
    with pytest.raises(InvalidInput):
        confirm(people, id_number(born(people, 5)), guardian_number=number)


def test_the_clerk_is_in_the_wards_access_log(people, guardian):
    mandate = confirm(people, id_number(born(people, 5)))
    with people.database.transaction() as session:
        ward = commands.store.load(session, mandate["id"]).principal
        rows = access_log.list_of(session, ward, None, None, 10)
    assert [(row.viewer, row.role, row.what) for row in rows] == [(people.clerk.subject, "clerk", access.MANDATE)]


def test_who_was_born_on_a_leap_day_comes_of_age_on_the_first_of_march():
    assert domain.majority(datetime(2008, 2, 29, tzinfo=UTC).date()).isoformat() == "2026-03-01T00:00:00+08:00"
