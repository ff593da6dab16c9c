"""Accounts, browser sessions, the demo's data, contacts."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text

from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted, SessionEnded, SignInRefused, UsernameTaken
from services.identity import commands, demo, passwords, queries, store, tables
from services.identity.domain import Account, Client, DemoDataInProduction
from services.identity.persons.identifiers import Particulars
from services.identity.sealing import hash_secret
from services.identity.sessions import commands as sessions
from services.identity.web_sessions import end_web_session, save_web_session, use_web_session
from tests.integration import identity_driver
from tests.integration.identity_driver import BASE, PASSWORD, Driver, at_once, login_page, mail_of, race


@pytest.fixture(scope="module")
def seeded(identity_database):
    identity_driver.seed(identity_database)
    return identity_database


@pytest.fixture
def driver(seeded):
    return Driver(seeded)


def sign_in(driver, username, password, offload=at_once):
    return commands.sign_in(driver.database, offload, username, password, "app", driver.now)


def register(driver, account, password, email="n@x"):
    particulars = Particulars(email=email)
    return commands.register_account(driver.database, at_once, driver.vault, account, particulars, password, driver.now)


def events_of(driver, subject):
    with driver.database.transaction() as transaction:
        rows = transaction.execute(
            text("SELECT sequence, body FROM outbox WHERE subject = :subject ORDER BY id"), {"subject": subject}
        )
        return [(row.sequence, json.loads(row.body)) for row in rows]


# Accounts


def test_registering_and_signing_in_are_told_in_order(driver):
    account = driver.register(roles=("clerk",))
    sign_in(driver, account.username, PASSWORD)
    sign_in(driver, account.username.upper(), PASSWORD)
    events = events_of(driver, account.subject)
    assert [(sequence, body["type"]) for sequence, body in events] == [
        (1, "account.registered"),
        (2, "account.signed-in"),
        (3, "account.signed-in"),
    ]
    assert [(body["actor"], body["channel"]) for _, body in events[1:]] == [("clerk", "app"), ("clerk", "app")]
    assert all(body["data"] == {"account": account.subject} for _, body in events)


def test_a_username_is_taken_in_every_spelling(driver):
    account = driver.register()
    with pytest.raises(UsernameTaken):
        register(driver, Account("", account.username.upper(), "Other"), PASSWORD)


def test_an_account_that_cannot_be_is_refused(driver):
    with pytest.raises(InvalidInput):
        register(driver, Account("", "a\0b", "n"), PASSWORD)
    with pytest.raises(InvalidInput):
        register(driver, Account("", "ab", "n"), "")
    with pytest.raises(InvalidInput):
        register(driver, Account("", "ab", "n"), PASSWORD, email="nowhere")


@pytest.mark.parametrize("username", ["nobody-at-all", "", "a\0b", "x" * 1000, "\ud800"])
@pytest.mark.parametrize("password", [PASSWORD, "", "p\0", "x" * 5000, "\ud800"])
def test_a_stranger_hears_nothing_and_waits_as_long(driver, username, password):
    work = []

    def offload(function, *arguments):
        work.append(function)
        return function(*arguments)

    with pytest.raises(SignInRefused):
        sign_in(driver, username, password, offload)
    assert work == [passwords.is_password]


def test_a_wrong_password_is_refused(driver):
    account = driver.register()
    for wrong in ("", "wrong", PASSWORD + "\0", PASSWORD.upper()):
        with pytest.raises(SignInRefused):
            sign_in(driver, account.username, wrong)
    assert len(events_of(driver, account.subject)) == 1


def test_an_unknown_channel_is_refused(driver):
    with pytest.raises(InvalidInput):
        commands.sign_in(driver.database, at_once, "citizen", demo.PASSWORD, "fax", driver.now)


def test_an_old_hash_becomes_a_stronger_one_at_the_next_sign_in(driver):
    account = driver.register()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with driver.database.transaction() as transaction:
        _, strong = store.get_password_hash(transaction, account.username)
        store.replace_password_hash(transaction, account.subject, strong, weak)
    sign_in(driver, account.username, PASSWORD)
    with driver.database.transaction() as transaction:
        _, renewed = store.get_password_hash(transaction, account.username)
    assert renewed not in (weak, strong)
    assert not passwords.is_outdated(renewed)
    sign_in(driver, account.username, PASSWORD)


# Sessions


def test_a_session_tells_who_and_since_when(driver):
    account = driver.register()
    signed_in = sign_in(driver, account.username, PASSWORD)
    assert (signed_in["subject"], signed_in["max_age"]) == (account.subject, 12 * 3600)
    with driver.database.transaction() as transaction:
        found = queries.get_session(transaction, signed_in["session"], driver.now)
    assert found == {
        "subject": account.subject,
        "username": account.username,
        "name": account.name,
        "auth_time": driver.now.isoformat(),
    }


def test_signing_out_ends_the_session(driver):
    driver.sign_in(driver.register())
    with driver.database.transaction() as transaction:
        sessions.sign_out(transaction, driver.session, driver.now)
        with pytest.raises(SessionEnded):
            queries.get_session(transaction, driver.session, driver.now)
    assert driver.authorize("web") == login_page("web")


def test_signing_in_ends_the_browsers_session_until_now(driver):
    first, second = driver.register(), driver.register()
    driver.sign_in(first)
    ended = driver.session
    with pytest.raises(SignInRefused):
        commands.sign_in(driver.database, at_once, second.username, "wrong", "web", driver.now, previous=ended)
    assert "code" in identity_driver.returned(driver.authorize("web"))
    driver.sign_in(second)
    with driver.database.transaction() as transaction:
        assert queries.get_session(transaction, driver.session, driver.now)["subject"] == second.subject
        with pytest.raises(SessionEnded):
            queries.get_session(transaction, ended, driver.now)


def test_only_hashes_of_secrets_are_kept(driver):
    driver.sign_in(driver.register())
    tokens = driver.tokens("app")
    with driver.database.transaction() as transaction:
        sessions = transaction.execute(select(tables.browser_sessions.c.secret_hash)).scalars().all()
        refresh = transaction.execute(select(tables.refresh_tokens.c.token_hash)).scalars().all()
    assert hash_secret(driver.session) in sessions
    assert hash_secret(tokens["refresh_token"]) in refresh


# The gateway's sessions


@pytest.fixture
def web(driver):
    """A session of the gateway's, as (driver, secret, the tokens that it was made from)."""
    driver.sign_in(driver.register(roles=("officer",), department="civil-affairs"))
    tokens = driver.tokens("web")
    with driver.database.transaction() as transaction:
        secret = save_web_session(transaction, driver.web_sessions(transaction), "web", tokens, driver.now)
    return driver, secret, tokens


def use(driver, secret):
    with driver.database.transaction() as transaction:
        return use_web_session(transaction, driver.web_sessions(transaction), secret, driver.now)


def test_a_web_session_holds_the_tokens_for_the_browser(web):
    driver, secret, tokens = web
    found = use(driver, secret)
    subject = identity_driver.claims_of(tokens["access_token"])["sub"]
    expires_at = datetime.fromtimestamp(int(driver.now.timestamp()) + 600, UTC).isoformat()
    assert found == {
        "client": "web",
        "access_token": tokens["access_token"],
        "expires_at": expires_at,
        "subject": subject,
        "name": "Test Person",
        "locale": "zh-Hans",
        "roles": ["officer"],
        "department": "civil-affairs",
    }


def test_tokens_are_sealed_where_they_lie(web):
    driver, secret, tokens = web
    with driver.database.transaction() as transaction:
        row = store.use_web_session(transaction, hash_secret(secret), driver.now)
    assert tokens["refresh_token"].encode() not in bytes(row.tokens)
    assert tokens["access_token"].encode() not in bytes(row.tokens)


def test_a_web_session_renews_its_token_before_it_expires(web):
    driver, secret, tokens = web
    driver.after(minutes=9, seconds=30)
    renewed = use(driver, secret)
    assert renewed["access_token"] != tokens["access_token"]
    assert use(driver, secret)["access_token"] == renewed["access_token"]
    assert datetime.fromisoformat(renewed["expires_at"]) - driver.now > timedelta(minutes=9)
    for _ in range(3):
        driver.after(minutes=9, seconds=30)
        assert use(driver, secret) is not None


def test_two_pages_at_once_renew_the_token_once(web):
    driver, secret, _ = web
    driver.after(minutes=10)
    found = race(*(lambda: use(driver, secret) for _ in range(4)))
    assert len({session["access_token"] for session in found}) == 1
    driver.after(minutes=10)
    assert use(driver, secret) is not None


def test_a_web_session_ends_with_its_tokens(web):
    driver, secret, tokens = web
    driver.as_client("web", "revoke", token=tokens["refresh_token"])
    driver.after(minutes=10)
    assert use(driver, secret) is None
    assert use(driver, secret) is None


def test_a_stolen_refresh_token_ends_the_web_session_and_itself(web):
    driver, secret, tokens = web
    stolen = driver.refresh("web", tokens["refresh_token"]).json
    driver.after(minutes=10)
    assert use(driver, secret) is None
    assert driver.refresh("web", stolen["refresh_token"]).status == 400


def test_a_web_session_without_a_refresh_token_ends_with_its_access_token(driver):
    driver.sign_in(driver.register())
    tokens = driver.tokens("web", scope="openid cases")
    with driver.database.transaction() as transaction:
        secret = save_web_session(transaction, driver.web_sessions(transaction), "web", tokens, driver.now)
    assert use(driver, secret) is not None
    driver.after(minutes=10)
    assert use(driver, secret) is None


def test_a_web_session_that_no_longer_opens_has_ended(web):
    driver, secret, _ = web
    driver.cookie_key = base64.urlsafe_b64encode(b"o" * 32).decode()
    assert use(driver, secret) is None
    driver.after(minutes=10)
    assert use(driver, secret) is None


def test_ending_a_web_session_ends_its_tokens(web):
    driver, secret, tokens = web
    with driver.database.transaction() as transaction:
        end_web_session(transaction, secret, driver.now)
        end_web_session(transaction, "unknown", driver.now)
    assert use(driver, secret) is None
    assert driver.refresh("web", tokens["refresh_token"]).status == 400
    assert driver.userinfo(tokens["access_token"]).status == 401


def test_a_new_web_session_ends_the_one_that_the_browser_had(web):
    driver, ended, tokens = web
    driver.sign_in(driver.register())
    with driver.database.transaction() as transaction:
        sessions, fresh = driver.web_sessions(transaction), driver.tokens("web")
        secret = save_web_session(transaction, sessions, "web", fresh, driver.now, ended)
    assert use(driver, ended) is None
    assert driver.userinfo(tokens["access_token"]).status == 401
    assert use(driver, secret)["access_token"] == fresh["access_token"]


@pytest.mark.parametrize("tokens", [{}, {"access_token": "x"}, {"access_token": None}])
def test_only_our_tokens_make_a_web_session(driver, tokens):
    with pytest.raises(SessionEnded), driver.database.transaction() as transaction:
        save_web_session(transaction, driver.web_sessions(transaction), "web", tokens, driver.now)


def test_another_clients_tokens_make_no_web_session(driver):
    driver.sign_in(driver.register())
    tokens = driver.tokens("app")
    with pytest.raises(SessionEnded), driver.database.transaction() as transaction:
        save_web_session(transaction, driver.web_sessions(transaction), "web", tokens, driver.now)


# Contacts


def test_contacts_are_for_who_has_the_scope(driver):
    account = driver.register(locale="en")
    notify = Actor("notify", "notify", scopes=("contacts",))
    with driver.database.transaction() as transaction:
        found = queries.get_contacts(transaction, driver.vault, notify, [account.subject, "unknown"], driver.now)
        with pytest.raises(NotPermitted):
            queries.get_contacts(
                transaction, driver.vault, Actor("notify", "notify", scopes=("cases",)), [account.subject], driver.now
            )
        with pytest.raises(InvalidInput):
            queries.get_contacts(transaction, driver.vault, notify, ["x"] * 501, driver.now)
    assert found == {account.subject: {"email": mail_of(account), "locale": "en", "name": account.name}}


def test_contacts_are_for_programs_not_for_people(driver):
    account = driver.register(roles=("operator",))
    person = Actor(account.subject, "web", roles=("operator",), scopes=("contacts",))
    with driver.database.transaction() as transaction, pytest.raises(NotPermitted):
        queries.get_contacts(transaction, driver.vault, person, [account.subject], driver.now)


def test_who_cannot_be_is_left_out_of_contacts(driver):
    notify = Actor("notify", "notify", scopes=("contacts",))
    with driver.database.transaction() as transaction:
        assert queries.get_contacts(transaction, driver.vault, notify, ["", "a\0", "\ud800"], driver.now) == {}


# The demo


def test_the_demo_is_refused_in_production(driver):
    with pytest.raises(DemoDataInProduction):
        commands.seed_demo(driver.database, at_once, driver.vault, "production", BASE, "secret", driver.now)


def test_the_demo_may_be_made_again_and_follows_the_address(driver):
    moved = "http://127.0.0.1:9000"
    commands.seed_demo(driver.database, at_once, driver.vault, "local", moved, "notify-secret", driver.now)
    with driver.database.transaction() as transaction:
        assert store.get_client(transaction, "web").redirect_uris == (f"{moved}/callback",)
    identity_driver.seed(driver.database)
    with driver.database.transaction() as transaction:
        assert store.get_client(transaction, "hall").redirect_uris == (f"{BASE}/hall/callback",)


def test_everybody_of_the_demo_can_sign_in(driver):
    for account in demo.ACCOUNTS:
        assert sign_in(driver, account.username, demo.PASSWORD)["subject"]


# Clients


def test_a_client_id_is_taken_once(driver):
    client = Client("taken-once", "RP", redirect_uris=("https://rp.example/cb",))
    with driver.database.transaction() as transaction:
        transaction.execute(tables.clients.delete().where(tables.clients.c.id == client.id))
        commands.add_client(transaction, client)
        assert store.get_client(transaction, client.id) == client
        with pytest.raises(InvalidInput):
            commands.add_client(transaction, client)


# Tidiness


def test_what_has_ended_is_removed_and_what_lives_stays(driver):
    driver.sign_in(driver.register())
    kept = driver.tokens("app")
    driver.tokens("app", scope="openid")
    driver.code("web")
    session = driver.session
    with driver.database.transaction() as transaction:
        while sessions.end_expired(transaction, driver.now + timedelta(days=1)):
            pass
        commands.remove_expired(transaction, driver.now + timedelta(days=1))
        assert store.use_browser_session(transaction, hash_secret(session), driver.now) is None
        assert transaction.execute(select(tables.authorization_codes)).first() is None
        with_refresh = select(tables.refresh_tokens.c.family_id).distinct()
        families = transaction.execute(select(tables.token_families.c.id)).scalars().all()
        assert set(families) == set(transaction.execute(with_refresh).scalars())
    assert driver.refresh("app", kept["refresh_token"]).status == 200
