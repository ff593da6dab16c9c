"""Limits: attackers are locked out, the citizen's own browser is not, and a stranger learns nothing from a refusal."""

from __future__ import annotations

import contextvars
import secrets
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis import context
from chassis.limits import subscriber
from contracts.errors import SignInRefused, TooManyAttempts
from services.identity import commands, demo, passwords
from services.identity.codes import commands as codes
from services.identity.codes.domain import Recipient
from services.identity.codes.secrecy import CodeKeys
from services.identity.limits import store
from services.identity.limits.devices import KNOWN_DEVICES, find_device, remember
from services.identity.limits.domain import (
    CLIENT,
    CODES_ADDRESS,
    PROTOCOL_ADDRESS,
    SIGN_IN_ACCOUNT,
    SIGN_IN_ADDRESS,
    SIGN_IN_DEVICE,
    Rule,
)
from services.identity.limits.guard import LimitKeys
from services.identity.limits.sign_in import Doorkeeper
from services.identity.limits.tables import rate_limits
from services.identity.sealing import Seal
from tests.integration.identity_driver import COOKIE_KEY, PASSWORD, basic, race

THREE = Rule("sign-in-account", 3, timedelta(minutes=1))
KEYS = LimitKeys(COOKIE_KEY)


@contextmanager
def calling_from(address: str | None):
    token = context.address.set(address)
    yield
    context.address.reset(token)


@pytest.fixture(autouse=True)
def address():
    """Another network for each test."""
    with calling_from(f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"):
        yield context.address.get()


class Door:
    """The sign-in as the service does it, with every hash that is computed."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.work: list[Any] = []
        self.keeper = Doorkeeper(driver.database, self.offload, KEYS, Seal(COOKIE_KEY, KNOWN_DEVICES))

    def offload(self, function: Any, *arguments: Any) -> Any:
        self.work.append(function)
        return function(*arguments)

    def sign_in(self, username: str, password: str = PASSWORD, device: str | None = None) -> dict[str, Any]:
        self.work.clear()

        def sign_in() -> dict[str, Any]:
            return commands.sign_in(
                self.driver.database, self.offload, username, password, "web", self.driver.now, request="/"
            )

        return self.keeper.let(username, password, device, self.driver.now, sign_in)

    def is_let(self, username: str, password: str = PASSWORD, device: str | None = None) -> bool:
        try:
            self.sign_in(username, password, device)
        except SignInRefused:
            return False
        return True

    def exhaust(self, username: str, tries: int = SIGN_IN_ACCOUNT.burst) -> None:
        """A stranger guesses, each time from another network."""
        for number in range(tries):
            with calling_from(f"198.51.100.{number}"):
                assert not self.is_let(username, "wrong")


@pytest.fixture
def door(driver: Any) -> Door:
    return Door(driver)


@pytest.fixture
def name(driver: Any) -> str:
    return driver.register().username


def take(driver: Any, *buckets: store.Bucket) -> frozenset[Rule]:
    with driver.database.transaction() as session:
        return store.take(session, buckets, driver.now)


def spend(driver: Any, rule: Rule, but: int = 0) -> None:
    """All tries of this address but so many."""
    [bucket] = KEYS.of_address(rule)
    row = {"rule": rule.name, "key_hash": bucket.key_hash, "full_at": driver.now + rule.refill * (rule.burst - but)}
    with driver.database.transaction() as session:
        added = upsert(rate_limits).values(row)
        session.execute(added.on_conflict_do_update(index_elements=["rule", "key_hash"], set_=row))


def test_a_bucket_gives_its_burst_and_then_one_each_refill(driver):
    bucket = store.Bucket(THREE, secrets.token_hex())
    assert [take(driver, bucket) for _ in range(3)] == [frozenset()] * 3
    assert take(driver, bucket) == {THREE}
    driver.after(minutes=1)
    assert take(driver, bucket) == frozenset()
    assert take(driver, bucket) == {THREE}
    driver.after(minutes=3)
    assert [take(driver, bucket) for _ in range(4)] == [frozenset()] * 3 + [{THREE}]


def test_a_try_that_is_put_back_counts_no_more(driver):
    bucket = store.Bucket(THREE, secrets.token_hex())
    for _ in range(5):
        assert take(driver, bucket) == frozenset()
        with driver.database.transaction() as session:
            store.put_back(session, [bucket])


def test_tries_at_once_are_no_more_than_the_burst(driver):
    bucket = store.Bucket(THREE, secrets.token_hex())
    answers = race(*[lambda: take(driver, bucket)] * 8)
    assert answers.count(frozenset()) == 3


def test_of_several_buckets_the_spent_ones_are_named(driver):
    one, other = store.Bucket(THREE, secrets.token_hex()), store.Bucket(CLIENT, secrets.token_hex())
    for _ in range(3):
        take(driver, one)
    assert take(driver, one, other) == {THREE}
    with driver.database.transaction() as session:
        assert store.spent(session, [store.Bucket(SIGN_IN_ACCOUNT, one.key_hash), other], driver.now) == frozenset()


def test_a_full_bucket_is_forgotten(driver):
    bucket = store.Bucket(THREE, secrets.token_hex())
    take(driver, bucket)
    with driver.database.transaction() as session:
        store.remove_full(session, driver.now + timedelta(minutes=1))
        found = select(rate_limits).where(rate_limits.c.key_hash == bucket.key_hash)
        assert session.execute(found).first() is None


def test_neither_names_nor_addresses_are_kept(driver, door, name, address):
    door.is_let(name, "wrong")
    with driver.database.transaction() as session:
        kept = str(session.execute(select(rate_limits)).all())
    assert name not in kept
    assert address not in kept


def test_an_account_that_strangers_guess_at_is_closed_to_them(door, name):
    door.exhaust(name)
    assert not door.is_let(name)
    door.driver.after(minutes=2)
    assert door.is_let(name)


def test_the_citizens_own_browser_gets_in_while_strangers_guess(door, name):
    device = door.sign_in(name)["device"]
    door.exhaust(name)
    assert not door.is_let(name)
    assert door.is_let(name, device=device)


def test_a_known_browser_is_held_up_by_nobody_in_its_network(door, name, address):
    device = door.sign_in(name)["device"]
    spend(door.driver, SIGN_IN_ADDRESS)
    with pytest.raises(TooManyAttempts):
        door.sign_in(name)
    assert door.is_let(name, device=device)


def test_a_stolen_cookie_is_good_for_few_guesses(door, name):
    device = door.sign_in(name)["device"]
    for _ in range(SIGN_IN_DEVICE.burst):
        assert not door.is_let(name, "wrong", device)
    door.exhaust(name)
    assert not door.is_let(name, device=device)


def test_a_cookie_is_good_for_its_account_only(door, name):
    device = door.sign_in(door.driver.register().username)["device"]
    door.exhaust(name)
    assert not door.is_let(name, device=device)


def test_a_browser_knows_those_who_share_it(door, name):
    other = door.driver.register().username
    first = door.sign_in(name)["device"]
    both = door.sign_in(other, device=first)["device"]
    for username in (name, other):
        door.exhaust(username)
        assert door.is_let(username, device=both)


@pytest.mark.parametrize("cookie", ["", "x", "~~~~", "AAAA~BBBB", "é", "x" * 5_000])
def test_a_cookie_that_is_not_ours_is_none(door, name, cookie):
    door.exhaust(name)
    assert not door.is_let(name, device=cookie)


def test_a_cookie_ends_and_is_sealed_by_its_key(driver):
    seal = Seal(COOKIE_KEY, KNOWN_DEVICES)
    cookie = remember(seal, None, "anna", driver.now)
    assert "anna" not in cookie
    assert find_device(seal, cookie, "anna", driver.now)
    assert find_device(seal, cookie, "anna", driver.now + timedelta(days=400)) is None
    assert find_device(Seal(COOKIE_KEY, "another-purpose"), cookie, "anna", driver.now) is None


def test_who_types_right_is_never_locked_out(door, name):
    assert all(door.is_let(name) for _ in range(SIGN_IN_ACCOUNT.burst + 2))


@pytest.mark.parametrize("guessed", ["the right password", "a wrong password", "nobody's name"])
def test_a_stranger_cannot_tell_a_closed_account_from_a_wrong_password(door, name, guessed):
    username = f"nobody-{secrets.token_hex(4)}" if guessed == "nobody's name" else name
    with pytest.raises(SignInRefused) as before:
        door.sign_in(username, "wrong")
    work = list(door.work)
    door.exhaust(username, SIGN_IN_ACCOUNT.burst - 1)
    with pytest.raises(SignInRefused) as closed:
        door.sign_in(username, PASSWORD if guessed == "the right password" else "wrong")
    assert closed.value.args == before.value.args
    # the time of an answer is that of its hashes
    assert door.work == work == [passwords.is_password]


def test_an_address_that_tries_many_names_is_told_to_wait_whatever_the_name(door, name):
    spend(door.driver, SIGN_IN_ADDRESS)
    for username in (name, "nobody-at-all"):
        with pytest.raises(TooManyAttempts) as refused:
            door.sign_in(username)
        assert refused.value.args == (15,)
        assert door.work == []
    with calling_from("203.0.113.9"):
        assert door.is_let(name)


@pytest.mark.parametrize(
    ("address", "one"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", "testclient"),
    ],
)
def test_a_subscriber_is_an_address_or_a_network_of_64_bits(address, one):
    assert subscriber(address) == one


# Programs


def wrong_secret(driver: Any, client: str, endpoint: str = "token") -> Any:
    form = {"grant_type": "client_credentials", "token": "x"}
    return driver.call(endpoint, form, authorization=basic(client, "wrong"))


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect", "par", "device_authorization"])
def test_a_clients_secret_is_guessed_a_few_times_at_every_endpoint(limited, endpoint):
    client = limited.add_client(grants=("authorization_code", "client_credentials")).id
    replies = [wrong_secret(limited, client, endpoint) for _ in range(CLIENT.burst + 1)]
    assert [reply.status for reply in replies] == [401] * CLIENT.burst + [429]
    assert replies[-1].headers["Retry-After"] == "60"
    assert replies[-1].json["error"] == "temporarily_unavailable"


def test_the_right_secret_is_no_use_where_too_many_were_wrong_but_is_elsewhere(limited):
    for _ in range(CLIENT.burst):
        wrong_secret(limited, "dept-civil-affairs")
    form = {"grant_type": "client_credentials", "scope": "cases"}
    right = {"authorization": basic("dept-civil-affairs", demo.CLIENT_SECRET)}
    assert limited.call("token", form, **right).status == 429
    with calling_from("203.0.113.20"):
        assert limited.call("token", form, **right).status == 200
    limited.after(minutes=1)
    assert limited.call("token", form, **right).status == 200


def test_a_client_that_is_not_there_is_limited_as_one_that_is(limited):
    replies = [wrong_secret(limited, "nobody") for _ in range(CLIENT.burst + 1)]
    assert [reply.status for reply in replies] == [401] * CLIENT.burst + [429]


def test_registering_with_guessed_tokens_is_limited(limited):
    spend(limited, PROTOCOL_ADDRESS, but=1)
    reply = limited.call("register", "{}", authorization="Bearer guessed")
    assert reply.status == 401
    reply = limited.call("register", "{}", authorization="Bearer guessed")
    assert (reply.status, reply.headers["Retry-After"]) == (429, "1")


def test_what_a_waiting_device_hears_counts_for_nothing(limited):
    asked = limited.call("device_authorization", {"client_id": "kiosk", "scope": "openid"}).json
    spend(limited, PROTOCOL_ADDRESS, but=1)
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    form = {"grant_type": grant, "client_id": "kiosk", "device_code": asked["device_code"]}
    words = [limited.call("token", form).json["error"] for _ in range(4)]
    assert words == ["authorization_pending", "slow_down", "slow_down", "slow_down"]


def test_who_asks_public_things_is_not_limited(limited):
    spend(limited, PROTOCOL_ADDRESS)
    assert limited.call("jwks", "", "GET").status == 200
    assert limited.call("configuration", "", "GET").status == 200


@pytest.fixture
def limited(driver: Any) -> Any:
    """The driver, as the service puts it together."""
    driver.limit_keys = KEYS
    return driver


def test_one_address_asks_for_so_many_codes(driver):
    keys = CodeKeys(COOKIE_KEY)
    spend(driver, CODES_ADDRESS)
    to = Recipient(f"{secrets.token_hex(6)}@example.org", "mail")
    with pytest.raises(TooManyAttempts), driver.database.transaction() as session:
        codes.issue_code(session, keys, to, "test", driver.now)
    with calling_from("203.0.113.30"), driver.database.transaction() as session:
        assert codes.issue_code(session, keys, to, "test", driver.now)


def test_a_call_that_did_not_come_through_the_door_has_no_address():
    with calling_from(None):
        assert KEYS.of_address(SIGN_IN_ADDRESS) == []
    # a thread of a test has a context of its own
    assert contextvars.copy_context()[context.address]
