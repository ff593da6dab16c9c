"""Staff learn whose an ID number is, each time with an entry in that person's access log."""

import secrets
from dataclasses import replace

import pytest
from sqlalchemy import text

from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted, TooManyAttempts
from services.identity.limits.domain import PERSON_SEARCH
from services.identity.limits.guard import LimitKeys
from services.identity.person_search.commands import find_applicant
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars, with_check_digit
from tests.integration.identity_driver import COOKIE_KEY

OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
LIMITS = LimitKeys(COOKIE_KEY)


def new_number():
    born = f"19{secrets.randbelow(60) + 20}{secrets.randbelow(12) + 1:02}{secrets.randbelow(28) + 1:02}"
    return with_check_digit(f"110101{born}{secrets.randbelow(1000):03}")


NUMBER, CLAIMED, NOBODYS = new_number(), new_number(), new_number()


@pytest.fixture
def search(driver):
    def search(number, actor=OFFICER):
        return find_applicant(driver.database, driver.vault, LIMITS, actor, number, driver.now)

    return search


@pytest.fixture
def person(driver):
    account = driver.register()
    with driver.database.transaction() as session:
        holder = persons.find_by_id_number(session, driver.vault, NUMBER)
        if holder is not None:
            persons.remove(session, holder)
        persons.save(session, driver.vault, account.subject, Particulars(id_number=NUMBER), driver.now)
    return account


@pytest.fixture
def log(driver):
    def log(account):
        with driver.database.transaction() as session:
            said = text("SELECT role, department, what, purpose FROM access_log WHERE account = :account ORDER BY role")
            return [tuple(row) for row in session.execute(said, {"account": account.subject})]

    return log


def test_each_search_is_in_the_persons_access_log(search, person, log):
    assert search(NUMBER) == search(f" {NUMBER.lower()} ") == person.subject
    assert search(NUMBER, CLERK) == person.subject
    assert log(person) == [
        ("clerk", None, "look-up", "counter"),
        ("officer", "civil-affairs", "look-up", "handling"),
        ("officer", "civil-affairs", "look-up", "handling"),
    ]


def test_a_number_that_nobody_has_or_that_was_only_said_finds_nobody(driver, search):
    claimed = driver.register()
    with driver.database.transaction() as session:
        persons.save(session, driver.vault, claimed.subject, Particulars(id_number=CLAIMED))
    assert search(CLAIMED) is None
    assert search(NOBODYS) is None


def test_only_staff_by_themselves_search_and_only_for_a_number(search, person, log):
    strangers = [
        Actor(subject="alice", client="web"),
        Actor(subject="olga", client="web", roles=("operator",)),
        replace(OFFICER, department=None),
        replace(OFFICER, act="carol"),
        Actor(subject="dept", client="dept", department="civil-affairs", scopes=("cases",)),
    ]
    for stranger in strangers:
        with pytest.raises(NotPermitted):
            search(NUMBER, stranger)
    for number in ("", "123", None, NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")):
        with pytest.raises(InvalidInput):
            search(number)
    assert log(person) == []


def test_numbers_cannot_be_tried_out(search, driver):
    eager = replace(OFFICER, subject="eager")
    for _ in range(PERSON_SEARCH.burst):
        search(CLAIMED, eager)
    with pytest.raises(TooManyAttempts):
        search(CLAIMED, eager)
    search(CLAIMED)
    driver.after(minutes=1)
    search(CLAIMED, eager)
