"""An operator changes staff on a page: only one who has just signed in, and never themselves."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from contracts.actors import Actor
from contracts.errors import (
    InvalidInput,
    NotFound,
    NotPermitted,
    SessionEnded,
    SignInTooOld,
    TooManyAttempts,
    UsernameTaken,
)
from services.identity.factors.domain import FRESH
from services.identity.limits.domain import STAFF_CHANGE
from services.identity.limits.guard import LimitKeys
from services.identity.recovery import finishing
from services.identity.recovery.domain import STAFF_LINK_LIFETIME
from services.identity.security_notices.codes import NoticeKeys
from services.identity.security_notices.looking_up import Lookup
from services.identity.staff import commands as staff
from services.identity.staff import opening
from services.identity.staff.operators import require_fresh_operator, require_present_operator
from tests.integration.identity_driver import COOKIE_KEY, at_once

LIMITS, KEYS = LimitKeys(COOKIE_KEY), NoticeKeys(COOKIE_KEY)
CIVIL = "civil-affairs"


@pytest.fixture
def operator(driver):
    driver.account = driver.register(roles=("operator",))
    driver.sign_in(driver.account)
    return Actor(driver.account.subject, "web", roles=("operator",))


def fresh(driver, actor, environment="local", limits=None):
    with driver.database.transaction() as session:
        return require_fresh_operator(session, actor, driver.session, environment, driver.now, limits)


def test_an_operator_who_has_just_signed_in_changes_staff_in_their_own_name(driver, operator):
    hand = fresh(driver, operator)
    assert (hand.viewer, hand.channel) == (operator.subject, "web")


def test_a_sign_in_of_a_while_ago_reads_and_changes_nothing(driver, operator):
    driver.now += FRESH + timedelta(seconds=1)
    with driver.database.transaction() as session:
        assert require_present_operator(session, operator, driver.session, driver.now).viewer == operator.subject
    with pytest.raises(SignInTooOld):
        fresh(driver, operator)


def test_outside_local_runs_a_password_alone_changes_nothing(driver, operator):
    with pytest.raises(SignInTooOld):
        fresh(driver, operator, "production")


@pytest.mark.parametrize("how", ["token alone", "agent", "program", "role gone", "no role"])
def test_nobody_else_changes_staff(driver, operator, how):
    actor = {
        "agent": Actor(operator.subject, "web", roles=("operator",), act="somebody"),
        "program": Actor("web", "web", roles=("operator",)),
        "no role": Actor(operator.subject, "web", roles=("clerk", "officer", "auditor")),
    }.get(how, operator)
    if how == "token alone":
        driver.session = "stolen elsewhere"
    if how == "role gone":
        with driver.database.transaction() as session:
            session.execute(text("UPDATE accounts SET roles = '{}' WHERE subject = :s"), {"s": operator.subject})
    for require in (lambda: fresh(driver, actor), lambda: present(driver, actor)):
        with pytest.raises((NotPermitted, SessionEnded)):
            require()


def present(driver, actor):
    with driver.database.transaction() as session:
        return require_present_operator(session, actor, driver.session, driver.now)


def test_an_operator_makes_so_many_changes_and_no_more(driver, operator):
    for _ in range(STAFF_CHANGE.burst):
        fresh(driver, operator, limits=LIMITS)
    with pytest.raises(TooManyAttempts):
        fresh(driver, operator, limits=LIMITS)


def test_nobody_changes_their_own_account(driver, operator):
    hand = fresh(driver, operator)
    with pytest.raises(NotPermitted), driver.database.transaction() as session:
        staff.disable(session, hand, driver.account.username, driver.now)


# Somebody new


def said(username, **more):
    return {"username": username, "name": "Wang Wu", "email": "wang@example.org", "roles": ["officer"]} | more


def open_account(driver, operator, username, **more):
    new = opening.require_new_member(said(username, department=CIVIL) | more)
    return opening.open_account(driver.database, at_once, driver.vault, KEYS, fresh(driver, operator), new, driver.now)


def test_somebody_new_sets_their_own_password_by_a_link_that_works_for_an_hour(driver, operator):
    username = f"new-{operator.subject[:8]}"
    code = open_account(driver, operator, username)
    finishing.require_link(Lookup(driver.database, KEYS, LIMITS), code, driver.now)
    driver.now += STAFF_LINK_LIFETIME
    with pytest.raises(NotFound):
        finishing.require_link(Lookup(driver.database, KEYS, LIMITS), code, driver.now)
    with driver.database.transaction() as session:
        row = session.execute(text("SELECT roles, department FROM accounts WHERE username = :u"), {"u": username}).one()
        told = text("SELECT detail, viewer FROM access_log JOIN accounts ON subject = account WHERE username = :u")
        assert ("added officer civil-affairs -", operator.subject) in {
            tuple(entry) for entry in session.execute(told, {"u": username})
        }
    assert (list(row.roles), row.department) == (["officer"], CIVIL)


def test_a_name_that_is_taken_stays_whose_it_is(driver, operator):
    with pytest.raises(UsernameTaken):
        open_account(driver, operator, driver.register().username)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"username": " "}, "/username"),
        ({"name": ""}, "/name"),
        ({"email": ""}, "/email"),
        ({"email": "no address"}, "/email"),
        ({"roles": []}, "/roles"),
        ({"roles": ["king"]}, "/roles"),
        ({"roles": ["operator", "auditor"]}, "/roles"),
        ({"department": ""}, "/department"),
        ({"roles": ["auditor"], "department": "", "hall": "civic-centre"}, "/hall"),
        ({"roles": ["supervisor"]}, "/roles"),
    ],
)
def test_what_is_wrong_is_named_and_opens_no_account(driver, operator, more, pointer):
    with pytest.raises(InvalidInput) as invalid:
        open_account(driver, operator, **{"username": "nobody-opens-this"} | more)
    assert pointer in {fault["pointer"] for fault in invalid.value.faults}
