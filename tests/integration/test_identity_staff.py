"""Staff is managed: roles come and go, accounts are disabled, and who did it is in the log."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from contracts.actors import Actor
from contracts.errors import InvalidInput, NotFound, NotPermitted, SessionEnded, SignInRefused
from services.identity import commands, queries
from services.identity.access_log import listing
from services.identity.browser_sessions import Browser, open_session
from services.identity.factors import enrolment, second_step
from services.identity.oauth.server import Provider
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars, with_check_digit
from services.identity.presence import visits
from services.identity.staff import commands as staff
from services.identity.staff import queries as staff_queries
from services.identity.staff.domain import Hand, Post, require_operator
from services.identity.web_sessions import save_web_session, use_web_session
from tests.integration.identity_driver import PASSWORD, at_once, claims_of

OPERATOR = Hand("os:root", "onehall", "command-line")
CIVIL, MARKET = "civil-affairs", "market-regulation"


@pytest.fixture
def manage(driver):
    """Does one thing to an account."""

    def manage(command, account, *arguments, hand=OPERATOR, **more):
        with driver.database.transaction() as transaction:
            return command(transaction, hand, account.username, *arguments, now=driver.now, **more)

    return manage


@pytest.fixture
def log(driver):
    """What was done to an account."""

    def log(account):
        said = text(
            "SELECT viewer, role, channel, detail FROM access_log WHERE account = :a AND what = 'staff' ORDER BY at"
        )
        with driver.database.transaction() as transaction:
            return [tuple(row) for row in transaction.execute(said, {"a": account.subject})]

    return log


@pytest.fixture
def officer(driver):
    account = driver.register(roles=("officer",), department=CIVIL)
    driver.sign_in(account)
    return account


@pytest.fixture
def clerk(driver):
    account = driver.register(roles=("clerk",), hall="civic-centre")
    driver.sign_in(account, "hall")
    return account


def is_active(driver, client, token):
    return driver.as_client(client, "introspect", token=token).json["active"]


def as_stranger(driver, account, password=PASSWORD):
    """What a sign-in is told, and how often a password was hashed for it."""
    hashed = []

    def offload(function, *arguments):
        hashed.append(function.__name__)
        return function(*arguments)

    with pytest.raises(SignInRefused) as refused:
        commands.sign_in(driver.database, offload, account.username, password, "web", driver.now)
    return refused.value.args, hashed


# Roles


def test_a_role_is_in_the_next_token_and_in_the_log(driver, signed_in, manage, log):
    tokens = driver.tokens("app")
    assert manage(staff.grant, driver.account, ["officer"], department=CIVIL) == Post(("officer",), CIVIL)
    claims = claims_of(driver.refresh("app", tokens["refresh_token"]).json["access_token"])
    assert (claims["roles"], claims["department"]) == (["officer"], CIVIL)
    assert log(driver.account) == [("os:root", "operator", "command-line", f"granted officer {CIVIL} -")]


def test_a_role_that_was_taken_away_is_gone_at_the_next_refresh(driver, manage, log):
    account = driver.register(roles=("clerk", "officer"), department=CIVIL, hall="civic-centre")
    driver.sign_in(account)
    tokens = driver.tokens("app")
    manage(staff.revoke, account, ["officer"])
    reply = driver.refresh("app", tokens["refresh_token"])
    assert (reply.status, claims_of(reply.json["access_token"])["roles"]) == (200, ["clerk"])
    assert log(account)[-1][-1] == f"revoked clerk {CIVIL} civic-centre"


@pytest.mark.parametrize("how", ["another department", "the last role"])
def test_who_leaves_keeps_nothing(driver, officer, manage, how):
    tokens = driver.tokens("app")
    if how == "another department":
        post = manage(staff.grant, officer, ["officer"], department=MARKET)
    else:
        post = manage(staff.revoke, officer, [])
    assert post in (Post(("officer",), MARKET), Post())
    assert driver.refresh("app", tokens["refresh_token"]).status == 400
    assert not is_active(driver, "web", tokens["access_token"])
    assert driver.authorize("web")["page"] == "login"


@pytest.mark.parametrize(
    ("roles", "more"),
    [(["auditor"], {}), (["operator"], {}), ([], {"hall": "a hall"}), (["king"], {})],
    ids=["auditor", "operator", "no-hall", "unknown"],
)
def test_what_does_not_go_together_changes_nothing(officer, manage, log, roles, more):
    with pytest.raises(InvalidInput):
        manage(staff.grant, officer, roles, **more)
    assert log(officer) == []


def test_a_department_is_no_organisation(driver, officer, manage):
    client = driver.add_client(organisation="water-works", grants=("client_credentials",), scopes=("events",))
    with pytest.raises(InvalidInput):
        manage(staff.grant, officer, ["officer"], department=client.organisation)


@pytest.mark.parametrize("command", [staff.disable, staff.enable])
def test_nobody_manages_their_own_account(driver, manage, command):
    account = driver.register(roles=("operator",))
    own = Hand(account.subject, "web", "web")
    with pytest.raises(NotPermitted):
        manage(command, account, hand=own)
    with pytest.raises(NotPermitted):
        manage(staff.grant, account, ["operator"], hand=own)


def test_an_account_that_is_not_there_is_said_to_be_missing(driver):
    with driver.database.transaction() as transaction, pytest.raises(NotFound):
        staff.disable(transaction, OPERATOR, "nobody at all", driver.now)


# Disabled


def test_a_disabled_account_is_to_a_stranger_a_wrong_password(driver, officer, manage):
    wrong = as_stranger(driver, officer, "wrong")
    manage(staff.disable, officer)
    assert as_stranger(driver, officer) == as_stranger(driver, officer, "wrong") == wrong


def test_disabling_ends_everything_at_once(driver, officer, manage, log):
    app, web = driver.tokens("app"), driver.tokens("web")
    with driver.database.transaction() as transaction:
        secret = save_web_session(transaction, driver.web_sessions(transaction), "web", web, driver.now)
    browser = driver.session
    code = driver.code("web")
    device = driver.start_device()
    driver.answer_device(device["user_code"], "allow")
    manage(staff.disable, officer)
    assert not is_active(driver, "web", web["access_token"])
    assert driver.refresh("app", app["refresh_token"]).status == 400
    assert driver.userinfo(app["access_token"]).status == 401
    assert driver.exchange("web", code).status == 400
    driver.after(seconds=10)
    assert driver.poll(device["device_code"]).json["error"] == "invalid_grant"
    with driver.database.transaction() as transaction:
        assert use_web_session(transaction, driver.web_sessions(transaction), secret, driver.now) is None
        with pytest.raises(SessionEnded):
            queries.get_session(transaction, browser, driver.now)
    assert log(officer) == [("os:root", "operator", "command-line", "disabled")]


def test_what_was_given_out_meanwhile_is_worth_nothing_either(driver, officer):
    """As if a request had been just behind the disabling: nothing was there to end."""
    tokens, session = driver.tokens("web"), driver.session
    with driver.database.transaction() as transaction:
        disabled = text("UPDATE accounts SET disabled_at = now() WHERE subject = :s")
        transaction.execute(disabled, {"s": officer.subject})
    assert not is_active(driver, "web", tokens["access_token"])
    with driver.database.transaction() as transaction, pytest.raises(SessionEnded):
        queries.get_session(transaction, session, driver.now)


def test_an_enabled_account_has_its_roles_again_and_signs_in_anew(driver, officer, manage, log):
    tokens = driver.tokens("app")
    manage(staff.disable, officer)
    manage(staff.disable, officer)
    driver.after(seconds=1)
    manage(staff.enable, officer)
    assert driver.refresh("app", tokens["refresh_token"]).status == 400
    driver.sign_in(officer)
    assert claims_of(driver.tokens("web")["access_token"])["roles"] == ["officer"]
    assert [entry[-1] for entry in log(officer)] == ["disabled", "enabled"]


def test_a_clerks_visit_ends_with_the_clerk(driver, clerk, manage):
    token = driver.tokens("hall")["access_token"]
    person, number = known_person(driver)
    proof = driver.read_card(clerk, number)["presence_token"]
    with driver.database.transaction() as transaction:
        secret = visits.open_visit(provider(driver, transaction), token, proof)
    with driver.database.transaction() as transaction:
        opened = claims_of(visits.get_visit(provider(driver, transaction), secret)["access_token"])
    assert (opened["sub"], opened["hall"]) == (person.subject, "civic-centre")
    manage(staff.disable, clerk)
    assert not is_active(driver, "hall", token)
    with driver.database.transaction() as transaction, pytest.raises(SessionEnded):
        visits.get_visit(provider(driver, transaction), secret)


def known_person(driver):
    """And the number of their card."""
    day = f"{1700 + secrets.randbelow(100)}0{1 + secrets.randbelow(9)}10"
    person, number = driver.register(), with_check_digit(f"110101{day}{secrets.randbelow(1000):03}")
    with driver.database.transaction() as transaction:
        persons.save(transaction, driver.vault, person.subject, Particulars(id_number=number), driver.now)
    return person, number


def provider(driver, transaction):
    return Provider(transaction, driver.issuer(transaction), driver.now)


# Where they work


def test_the_hall_is_in_a_clerks_tokens_and_in_the_citizens_log(driver, clerk):
    token = driver.tokens("hall")["access_token"]
    assert claims_of(token)["hall"] == "civic-centre"
    person, number = known_person(driver)
    proof = driver.read_card(clerk, number, hall="civic-centre")["presence_token"]
    exchanged = claims_of(driver.exchange_token(token, proof).json["access_token"])
    assert (exchanged["hall"], exchanged["roles"]) == ("civic-centre", [])
    with driver.database.transaction() as transaction:
        halls = text("SELECT hall FROM access_log WHERE account = :a")
        assert set(transaction.execute(halls, {"a": person.subject}).scalars()) == {"civic-centre"}


def test_a_citizens_token_says_no_hall(signed_in):
    assert "hall" not in claims_of(signed_in.tokens("web")["access_token"])


# Two factors, outside local runs


POSTS = {
    "clerk": {"hall": "civic-centre"},
    "officer": {"department": CIVIL},
    "operator": {},
    "auditor": {},
}


def by_two_factors(driver, account, channel="web"):
    """Sign in as in production, where the first sign-in sets up the second factor."""
    pending = driver.begin_sign_in(account, "production", channel)
    with driver.database.transaction() as transaction:
        offer = enrolment.begin_required_totp(transaction, driver.means, pending, driver.now)
    code = pyotp.TOTP(offer["secret"]).at(driver.now)
    opened = enrolment.finish_required_totp(driver.database, driver.means, pending, offer["sealed"], code, driver.now)
    driver.session = opened["session"]


@pytest.mark.parametrize("role", POSTS)
def test_a_role_needs_two_factors_at_each_way_to_a_token(driver, role):
    driver.two_factors_for_staff = True
    account = driver.register(roles=(role,), **POSTS[role])
    client = "hall" if role == "clerk" else "app"
    driver.sign_in(account)
    one = driver.tokens(client)
    again = driver.refresh(client, one["refresh_token"]).json
    by_two_factors(driver, account, "hall" if role == "clerk" else "web")
    two = driver.tokens(client)
    refreshed = driver.refresh(client, two["refresh_token"]).json
    roles = [claims_of(tokens["access_token"])["roles"] for tokens in (one, again, two, refreshed)]
    assert roles == [[], [], [role], [role]]


@pytest.mark.parametrize("role", POSTS)
def test_a_device_that_stands_open_to_all_gets_no_role_by_any_number_of_factors(driver, role):
    driver.two_factors_for_staff = True
    account = driver.register(roles=(role,), **POSTS[role])
    by_two_factors(driver, account)
    device = driver.start_device()
    driver.answer_device(device["user_code"], "allow")
    claims = claims_of(driver.poll(device["device_code"]).json["access_token"])
    assert (claims["roles"], claims["department"], claims.get("hall")) == ([], None, None)


def test_a_clerk_with_one_factor_exchanges_nothing_at_the_counter(driver, clerk):
    _, number = known_person(driver)
    driver.two_factors_for_staff = True
    token = driver.tokens("hall")["access_token"]
    # even with a proof, which a clerk without the role would not get
    proof = driver.read_card(clerk, number)["presence_token"]
    assert driver.exchange_token(token, proof).json["error"] == "invalid_request"
    by_two_factors(driver, clerk, "hall")
    proof = driver.read_card(clerk, number)["presence_token"]
    assert driver.exchange_token(driver.tokens("hall")["access_token"], proof).status == 200


def test_who_becomes_staff_has_no_role_by_the_sign_in_of_before(driver, signed_in, manage):
    driver.two_factors_for_staff = True
    tokens = driver.tokens("app")
    manage(staff.grant, driver.account, ["officer"], department=CIVIL)
    assert claims_of(driver.refresh("app", tokens["refresh_token"]).json["access_token"])["roles"] == []


def test_factors_that_are_lost_are_reset_and_set_up_anew(driver, officer, manage, log):
    by_two_factors(driver, officer)
    tokens = driver.tokens("app")
    assert "pending" in commands.sign_in(driver.database, at_once, officer.username, PASSWORD, "web", driver.now)
    manage(staff.reset_factors, officer)
    assert driver.refresh("app", tokens["refresh_token"]).status == 400
    assert log(officer)[-1][-1] == "factors-reset"
    with driver.database.transaction() as transaction:
        told = text("SELECT body::json->'data'->>'change' FROM outbox WHERE subject = :s ORDER BY sequence")
        changes = list(transaction.execute(told, {"s": officer.subject}).scalars())
    assert [change for change in changes if change] == ["totp-added", "totp-removed"]
    by_two_factors(driver, officer)
    assert claims_of(driver.tokens("app")["access_token"])["roles"] == ["officer"]


def test_a_sign_in_that_waits_for_its_second_factor_gets_nowhere_once_the_account_is_disabled(driver, officer, manage):
    by_two_factors(driver, officer)
    pending = driver.begin_sign_in(officer, "production")
    manage(staff.disable, officer)
    with pytest.raises((SignInRefused, SessionEnded)):
        second_step.answer(driver.database, driver.means, pending, "recovery", "0000-0000", driver.now)
    with driver.database.transaction() as transaction, pytest.raises(SignInRefused):
        open_session(transaction, officer.subject, Browser("web"), None, ("pwd",), driver.now)


# The log


def test_the_log_is_listed_a_batch_at_a_time_and_filtered(driver, officer, manage):
    for command in (staff.disable, staff.enable, staff.disable, staff.enable, staff.disable):
        driver.after(seconds=1)
        manage(command, officer)
    hand = Hand("os:somebody", "onehall", "command-line")

    def listed(**wanted):
        return list(listing.list_entries(driver.database, hand, listing.Wanted(**wanted), driver.now, batch=2))

    done = ["disabled", "enabled", "disabled", "enabled", "disabled"]
    assert [entry["detail"] for entry in listed(account=officer.username, what="staff")] == done
    assert [entry["detail"] for entry in listed(account=officer.subject, what="staff", since=driver.now)] == done[-1:]
    assert listed(account=officer.subject, what="staff", before=driver.now - timedelta(seconds=9)) == []
    assert {entry["viewer"] for entry in listed(viewer="os:root", what="staff", since=driver.now)} == {"os:root"}
    assert listed(viewer=officer.username, account=officer.subject) == []
    with pytest.raises(NotFound):
        listed(account="nobody at all")


# What operators see


def test_staff_and_disabled_accounts_are_listed_a_batch_at_a_time(driver, officer, clerk, manage):
    citizen, other = driver.register(), driver.register()
    manage(staff.disable, other)
    with driver.database.transaction() as transaction:
        listed = {each["username"]: each for each in staff_queries.list_members(transaction, batch=2)}
        officers = [
            each["username"] for each in staff_queries.list_members(transaction, role="officer", department=CIVIL)
        ]
    assert citizen.username not in listed
    assert listed[other.username]["disabled_at"]
    assert listed[clerk.username]["hall"] == "civic-centre"
    assert officer.username in officers
    assert clerk.username not in officers
    assert sorted(listed) == list(listed)


def test_a_look_at_a_citizens_account_is_in_their_access_log(driver, signed_in):
    officer = driver.register(roles=("officer",), department=CIVIL)
    with driver.database.transaction() as transaction:
        shown = staff_queries.show(transaction, OPERATOR, driver.account.username, driver.now)
        staff_queries.show(transaction, OPERATOR, officer.username, driver.now)
        looks = text("SELECT viewer, what, purpose FROM access_log WHERE account = :a")
        noted = {
            account.username: [tuple(row) for row in transaction.execute(looks, {"a": account.subject})]
            for account in (driver.account, officer)
        }
    assert (shown["roles"], shown["sessions"], shown["disabled_at"]) == ([], 1, None)
    assert noted == {driver.account.username: [("os:root", "profile", "administration")], officer.username: []}


def test_an_operator_is_known_by_their_account():
    hand = require_operator(Actor("an-operator", "web", roles=("operator",)))
    assert (hand.viewer, hand.client) == ("an-operator", "web")


def test_the_platforms_programs_learn_who_works_in_a_role_of_a_department_and_nobody_else_does(driver, manage):
    places = (None, "east-hall")
    here = [driver.register(roles=("officer", "supervisor"), department="parks", hall=hall) for hall in places]
    driver.register(roles=("officer",), department="parks")
    driver.register(roles=("officer", "supervisor"), department="ports")
    program = Actor(subject="notify", client="notify", scopes=("contacts",))

    def ask(actor, role="supervisor"):
        with driver.database.transaction() as session:
            return [
                (each["subject"], each["hall"]) for each in staff_queries.list_working(session, actor, role, "parks")
            ]

    assert ask(program) == sorted(zip([account.subject for account in here], places, strict=True))
    manage(staff.disable, here[0])
    assert ask(program) == [(here[1].subject, "east-hall")]
    person = Actor(subject="dan", client="web", roles=("operator",), scopes=("contacts",))
    for stranger in (person, Actor(subject="dept", client="dept", scopes=("events",))):
        with pytest.raises(NotPermitted):
            ask(stranger)
    with pytest.raises(InvalidInput):
        ask(program, "king")
