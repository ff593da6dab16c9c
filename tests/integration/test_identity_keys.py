"""The life of signing keys: a rotation that nobody notices, and a change of the sealing key that ends nothing."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import text

from chassis.resealing import reseal
from cli import platform
from cli.__main__ import main
from services.identity.domain import SESSION_ABSOLUTE, Client
from services.identity.oauth import keys
from services.identity.sealed_columns import SEALED_COLUMNS
from services.identity.sealing import Seal, SealedOtherwise
from tests.integration import identity_driver
from tests.integration.identity_driver import BASE, COOKIE_KEY, Driver, header_of
from tests.processes import wait_until

CACHED = timedelta(minutes=5)
"""How long the gateway and HTTP caches keep the published keys."""


@pytest.fixture
def driver(identity_database):
    """With keys of its own, which nobody has rotated."""
    with identity_database.transaction() as transaction:
        transaction.execute(text("DELETE FROM signing_keys"))
    identity_driver.seed(identity_database)
    driver = Driver(identity_database)
    driver.account = driver.register()
    driver.sign_in(driver.account)
    yield driver
    with identity_database.transaction() as transaction:
        transaction.execute(text("DELETE FROM signing_keys"))


def rotate(driver, **how):
    with driver.database.transaction() as transaction:
        keys.rotate(transaction, seal(driver), driver.now, **how)


def seal(driver, other=None):
    return Seal(driver.cookie_key, "signing-keys", other)


def published(driver):
    return driver.call("jwks", "", "GET").json["keys"]


def kids(driver, alg="ES256"):
    return [key["kid"] for key in published(driver) if key["alg"] == alg]


def is_verified_by(token, key_set):
    try:
        jwt.decode(token, key_set, ["ES256", "RS256"])
    except (JoseError, ValueError):
        return False
    return True


def sign(driver, alg="ES256"):
    with driver.database.transaction() as transaction:
        return driver.issuer(transaction).sign({"sub": "x"}, typ="JWT", now=driver.now, alg=alg)


def test_the_next_key_is_published_before_it_signs_and_the_old_one_stays(driver):
    [old] = kids(driver)
    rotate(driver)
    new, was = kids(driver)
    assert was == old
    driver.after(seconds=keys.PUBLISHED_BEFORE.total_seconds() - 1)
    assert header_of(sign(driver))["kid"] == old
    driver.after(seconds=1)
    assert header_of(sign(driver))["kid"] == new
    driver.after(seconds=keys.KEPT_AFTER.total_seconds() - 1)
    assert kids(driver) == [new, old]
    driver.after(seconds=1)
    assert kids(driver) == [new]


def test_rotating_while_a_next_key_waits_makes_no_third(driver):
    published(driver)
    for _ in range(3):
        rotate(driver)
    assert len(kids(driver)) == len(kids(driver, "RS256")) == 2


def test_keys_rotate_by_age(driver):
    published(driver)
    driver.after(days=90)
    rotate(driver, older_than=timedelta(days=91))
    assert len(kids(driver)) == 1
    driver.after(days=1)
    rotate(driver, older_than=timedelta(days=91))
    assert len(kids(driver)) == 2


def test_what_is_over_is_removed(driver):
    [old] = kids(driver)
    rotate(driver)
    driver.after(seconds=(keys.PUBLISHED_BEFORE + keys.KEPT_AFTER).total_seconds())
    with driver.database.transaction() as transaction:
        keys.remove_retired(transaction, driver.now)
        assert old not in [key.kid for key in keys.list_keys(transaction)]


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_no_verifier_with_old_keys_refuses_a_token_that_lives(driver, alg):
    """Looked at every five minutes: what has just been signed, what is half as old, and the oldest that lives."""
    step, rotations = CACHED, (timedelta(minutes=10), timedelta(hours=1))
    began, signed, caches = driver.now, [], []
    while driver.now - began < timedelta(hours=14):
        if driver.now - began in rotations:
            rotate(driver)
        caches = [*caches[-1:], KeySet.import_key_set({"keys": published(driver)})]
        signed = [(at, token) for at, token in signed if driver.now - at < SESSION_ABSOLUTE]
        signed.append((driver.now, sign(driver, alg)))
        for _, token in (signed[0], signed[len(signed) // 2], signed[-1]):
            assert all(is_verified_by(token, cache) for cache in caches)
        driver.after(seconds=step.total_seconds())
    assert len({header_of(token)["kid"] for _, token in signed}) <= 2


def test_a_rotation_under_load_refuses_no_token(driver):
    """Threads sign in, refresh and look at themselves without a pause, while keys rotate twice."""
    published(driver)
    stop, failures, done = threading.Event(), [], []

    def work():
        mine = Driver(driver.database, session=driver.session, now=driver.now)
        token = mine.tokens("app")["refresh_token"]
        while not stop.is_set():
            mine.now = driver.now
            renewed = mine.refresh("app", token)
            seen = mine.userinfo(renewed.json["access_token"]) if renewed.status == 200 else renewed
            if seen.status != 200:
                failures.append(seen.text)
                return
            token = renewed.json["refresh_token"]
            done.append(header_of(renewed.json["access_token"])["kid"])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            rotate(driver)
            for _ in range(4):
                driver.after(seconds=keys.PUBLISHED_BEFORE.total_seconds() / 3)
                seen = len(done)
                wait_until("they go on", lambda seen=seen: len(done) > seen + 6 or failures)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert failures == []
    assert len(set(done)) == 3, "all three keys have signed"


def test_a_change_of_the_sealing_key_ends_nothing(driver):
    """Both keys open for a while; then everything is sealed anew, and the old one is forgotten."""
    token, before = driver.tokens("app")["access_token"], kids(driver)
    pairwise_subject = subject_at(driver)
    old, driver.cookie_key = driver.cookie_key, base64.urlsafe_b64encode(os.urandom(32)).decode()
    for column in SEALED_COLUMNS:
        reseal(driver.database, column, Seal(driver.cookie_key, column.purpose, old))
    assert header_of(sign(driver))["kid"] == header_of(token)["kid"]
    assert kids(driver) == before
    assert subject_at(driver) == pairwise_subject
    for column in SEALED_COLUMNS:
        assert reseal(driver.database, column, Seal(driver.cookie_key, column.purpose, old))[0] == 0, "done already"
    for column in SEALED_COLUMNS:
        reseal(driver.database, column, Seal(COOKIE_KEY, column.purpose, driver.cookie_key))


def subject_at(driver):
    client = Client("p", "P", subject_type="pairwise", sector="p.example")
    with driver.database.transaction() as transaction:
        return driver.issuer(transaction).subjects.seen_by(client, "somebody")


def test_a_lost_sealing_key_makes_no_new_salt(driver):
    subject_at(driver)
    driver.cookie_key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    with pytest.raises(SealedOtherwise):
        subject_at(driver)


def test_keys_are_not_rotated_with_another_sealing_key(driver):
    published(driver)
    driver.cookie_key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    with pytest.raises(SealedOtherwise):
        rotate(driver)


# `onehall key`


@pytest.fixture
def run(identity_database_url, monkeypatch, capsys):
    def run(*arguments, **more):
        environment = {"ENVIRONMENT": "local", "BASE_URL": BASE, "IDENTITY_DATABASE_URL": identity_database_url}
        for name, value in (environment | {"COOKIE_KEY": COOKIE_KEY} | more).items():
            monkeypatch.setenv(f"ONEHALL_{name}", value)
        platform.operator_settings.cache_clear()
        monkeypatch.setattr(sys, "argv", ["onehall", "key", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    yield run
    platform.operator_settings.cache_clear()


def test_the_command_line_rotates_and_tells_of_every_key(driver, run):
    driver.now = datetime.now(UTC)
    published(driver)
    code, out, _ = run("rotate")
    assert (code, out.count(" signs from ")) == (0, 2)
    _, out, _ = run("list")
    told = [(key["alg"], key["state"], key["signs_until"] is None) for key in json.loads(out)]
    assert sorted(told) == sorted(
        (alg, state, state == "next") for alg in ("ES256", "RS256") for state in ("next", "current")
    )


def test_the_command_line_forgets_a_key_that_leaked(driver, run):
    tokens = driver.tokens("app")
    [leaked] = kids(driver)
    assert run("revoke", leaked)[0] == 0
    assert driver.userinfo(tokens["access_token"]).status == 401
    [new] = kids(driver)
    renewed = driver.refresh("app", tokens["refresh_token"]).json["access_token"]
    assert header_of(renewed)["kid"] == new != leaked
    assert driver.userinfo(renewed).status == 200


def test_the_command_line_seals_anew(driver, run):
    published(driver)
    new = base64.urlsafe_b64encode(os.urandom(32)).decode()
    assert run("reseal", COOKIE_KEY=new, OTHER_COOKIE_KEY=COOKIE_KEY)[0] == 0
    driver.cookie_key = new
    assert len(published(driver)) == 2
    assert run("reseal", COOKIE_KEY=COOKIE_KEY, OTHER_COOKIE_KEY=new)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["rotate"], base64.urlsafe_b64encode(b"o" * 32).decode()),
        (["rotate"], "short"),
        (["revoke"], COOKIE_KEY),
        (["revoke", "unknown"], COOKIE_KEY),
    ],
)
def test_what_cannot_be_done_is_one_line(driver, run, arguments, key):
    published(driver)
    code, out, err = run(*arguments, COOKIE_KEY=key, OTHER_COOKIE_KEY="")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("onehall: ")
