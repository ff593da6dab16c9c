"""Identifiers at rest: sealed, found by a blind index, sealed anew while the platform goes on."""

from __future__ import annotations

import base64
import os
import secrets

import pytest
from sqlalchemy import func, select, text, update

from services.identity import tables as identity_tables
from services.identity.persons import commands, store
from services.identity.persons.identifiers import EMAIL, ID_NUMBER, PHONE, Particulars, with_check_digit
from services.identity.persons.tables import identifiers
from services.identity.persons.vault import Vault
from tests.integration.identity_driver import COOKIE_KEY, mail_of, race

NEW_KEY = base64.urlsafe_b64encode(os.urandom(32)).decode()


def anybody() -> Particulars:
    serial = secrets.randbelow(1_000)
    number = with_check_digit(f"1101011990{secrets.randbelow(12) + 1:02}{secrets.randbelow(28) + 1:02}{serial:03}")
    return Particulars(number, f"+86138{secrets.randbelow(10**8):08}", f"{secrets.token_hex(5)}@example.org")


def given(driver, particulars, *, confirmed=True, vault=None):
    account = driver.register()
    with driver.database.transaction() as session:
        at = driver.now if confirmed else None
        store.save(session, vault or driver.vault, account.subject, particulars, confirmed_at=at)
    return account


def opened(driver, account, vault=None):
    with driver.database.transaction() as session:
        return store.open_particulars(session, vault or driver.vault, account.subject)


def found(driver, kind, value, vault=None):
    with driver.database.transaction() as session:
        return store.find(session, vault or driver.vault, kind, value)


def test_nothing_of_it_can_be_read_in_the_database(driver):
    particulars = anybody()
    account = given(driver, particulars)
    with driver.database.transaction() as session:
        rows = session.execute(
            text("SELECT t::text FROM accounts t WHERE subject = :s UNION ALL SELECT t::text FROM identifiers t"),
            {"s": account.subject},
        )
        dump = "\n".join(rows.scalars())
    for _, value in (*particulars.items(), (EMAIL, mail_of(account))):
        assert value not in dump
        assert value.encode().hex() not in dump
    assert opened(driver, account) == particulars


def test_a_confirmed_number_finds_its_person_and_one_that_was_only_said_finds_nobody(driver):
    said, confirmed = anybody(), anybody()
    given(driver, said, confirmed=False)
    account = given(driver, confirmed)
    with driver.database.transaction() as session:
        assert store.find_by_id_number(session, driver.vault, confirmed.id_number) == account.subject
        assert store.find_by_id_number(session, driver.vault, said.id_number) is None
    assert found(driver, EMAIL, confirmed.email.upper()) == account.subject


def test_whoever_confirms_first_has_it(driver):
    particulars, vaults = anybody(), (driver.vault, Vault(NEW_KEY, COOKIE_KEY), Vault(COOKIE_KEY, NEW_KEY))
    accounts = [driver.register() for _ in range(6)]

    def confirm(account, vault):
        with driver.database.transaction() as session:
            if not store.is_free(session, vault, account.subject, ID_NUMBER, particulars.id_number):
                return False
            store.save(session, vault, account.subject, Particulars(particulars.id_number), confirmed_at=driver.now)
            return True

    # half of the processes have the new key already
    both = [vaults[1 + n % 2] for n in range(6)]
    outcomes = race(*(lambda a=a, v=v: confirm(a, v) for a, v in zip(accounts, both, strict=True)))
    assert sorted(outcomes) == [False] * 5 + [True]


def test_a_key_is_changed_while_people_come_and_go(driver):
    """Every step of docs/operations.md, and each kind of process that runs at it."""
    before = [given(driver, anybody()) for _ in range(3)]
    known = {account.subject: opened(driver, account) for account in before}
    first, second = Vault(COOKIE_KEY, NEW_KEY), Vault(NEW_KEY, COOKIE_KEY)
    meanwhile = anybody()
    account = given(driver, meanwhile, vault=second)
    late = anybody()
    given(driver, late, vault=first)
    for vault in (first, second):
        assert found(driver, PHONE, meanwhile.phone, vault) == account.subject
        assert all(opened(driver, each, vault) == known[each.subject] for each in before)
    sealed, closed = commands.reseal(driver.database, second)
    assert sealed >= 3 * len(before) + 3
    assert closed == 0
    only_new = Vault(NEW_KEY)
    assert all(opened(driver, each, only_new) == known[each.subject] for each in before)
    assert found(driver, ID_NUMBER, late.id_number, only_new) is not None
    assert commands.reseal(driver.database, second) == (0, 0), "and again changes nothing"
    assert commands.reseal(driver.database, first)[0] >= sealed, "and back"
    assert opened(driver, before[0]) == known[before[0].subject]


def test_it_is_sealed_anew_in_batches_and_what_does_not_open_keeps_nobody_back(driver, monkeypatch):
    monkeypatch.setattr(commands, "_AT_A_TIME", 2)
    stranger = given(driver, anybody(), vault=Vault(base64.urlsafe_b64encode(os.urandom(32)).decode()))
    account, particulars = driver.register(), anybody()
    with driver.database.transaction() as session:
        store.save(session, driver.vault, account.subject, particulars)
    vault = Vault(NEW_KEY, COOKIE_KEY)
    _, closed = commands.reseal(driver.database, vault)
    assert closed == 3
    with driver.database.transaction() as session:
        left = session.execute(
            select(func.count()).where(
                identifiers.c.key_id.not_in([vault.key_id]), identifiers.c.subject != stranger.subject
            )
        ).scalar_one()
    assert left == 0
    assert opened(driver, account, Vault(NEW_KEY)) == particulars
    assert opened(driver, stranger) == Particulars()
    commands.reseal(driver.database, Vault(COOKIE_KEY, NEW_KEY))
    with driver.database.transaction() as session:
        store.remove(session, stranger.subject)


def test_mails_of_before_are_taken_over_and_read_until_then(driver):
    account = driver.register()
    with driver.database.transaction() as session:
        store.remove(session, account.subject)
        this = identity_tables.accounts.c.subject == account.subject
        session.execute(update(identity_tables.accounts).where(this).values(email="old@example.org"))
    assert opened(driver, account).email == "old@example.org"
    with driver.database.transaction() as session:
        assert store.open_of(session, driver.vault, [account.subject], EMAIL) == {account.subject: "old@example.org"}
        assert store.seal_plain_mails(session, driver.vault, 10) == 1
        assert store.seal_plain_mails(session, driver.vault, 10) == 0
        plain = session.execute(select(identity_tables.accounts.c.email).where(this)).scalar()
    assert plain is None
    assert opened(driver, account).email == "old@example.org"


def test_a_row_that_is_copied_onto_somebody_else_does_not_open(driver):
    particulars = anybody()
    account, thief = given(driver, particulars), driver.register()
    with driver.database.transaction() as session:
        row = identifiers.c
        copied = select(row.sealed).where(row.subject == account.subject, row.kind == EMAIL).scalar_subquery()
        session.execute(
            update(identifiers).where(row.subject == thief.subject, row.kind == EMAIL).values(sealed=copied)
        )
    assert opened(driver, thief).email is None
    with driver.database.transaction() as session:
        store.remove(session, thief.subject)


@pytest.mark.parametrize("lost", [True, False])
def test_a_sign_in_goes_on_without_a_mail_that_does_not_open(signed_in, lost):
    driver = signed_in
    if lost:
        driver.cookie_key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    told = driver.userinfo(driver.tokens("web")["access_token"]).json
    assert ("email" in told) is not lost
    assert told["name"] == "Test Person"
