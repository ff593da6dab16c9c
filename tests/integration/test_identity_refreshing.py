"""Refresh tokens when answers are lost, requests race and thieves come: one live token, and no honest client out."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.identity.domain import REFRESH_GRACE
from tests.integration import identity_driver
from tests.integration.identity_driver import Driver, race


@pytest.fixture(scope="module")
def signed_in(identity_database):
    identity_driver.seed(identity_database)
    driver = Driver(identity_database)
    driver.sign_in(driver.register())
    return driver


@pytest.fixture
def driver(signed_in):
    return signed_in


def live_tokens(driver, access_token):
    """How many refresh tokens of the family can be used."""
    family = identity_driver.claims_of(access_token)["jti"].partition(".")[0]
    count = text(
        "SELECT count(*) FROM refresh_tokens t JOIN token_families f ON f.id = t.family_id"
        " WHERE f.id = :family AND f.revoked_at IS NULL AND t.spent_at IS NULL"
    )
    with driver.database.transaction() as transaction:
        return transaction.execute(count, {"family": family}).scalar_one()


def ended(reply):
    return (reply.status, reply.json["error"]) == (400, "invalid_grant")


def test_a_lost_answer_is_given_again_with_the_same_successor(driver):
    first = driver.tokens("app")
    lost = driver.refresh("app", first["refresh_token"]).json
    driver.after(seconds=REFRESH_GRACE.total_seconds())
    again = driver.refresh("app", first["refresh_token"]).json
    assert again["refresh_token"] == lost["refresh_token"]
    assert again["access_token"] != lost["access_token"]
    assert live_tokens(driver, again["access_token"]) == 1
    assert driver.refresh("app", again["refresh_token"]).status == 200


def test_after_the_grace_a_spent_token_ends_the_family(driver):
    first = driver.tokens("app")
    second = driver.refresh("app", first["refresh_token"]).json
    driver.after(seconds=REFRESH_GRACE.total_seconds() + 0.001)
    assert ended(driver.refresh("app", first["refresh_token"]))
    assert ended(driver.refresh("app", second["refresh_token"]))
    assert driver.userinfo(second["access_token"]).status == 401


def test_once_the_successor_was_used_a_spent_token_ends_the_family_at_once(driver):
    first = driver.tokens("app")
    second = driver.refresh("app", first["refresh_token"]).json
    third = driver.refresh("app", second["refresh_token"]).json
    assert ended(driver.refresh("app", first["refresh_token"]))
    assert ended(driver.refresh("app", third["refresh_token"]))


def test_the_grace_is_counted_from_the_first_use(driver):
    first = driver.tokens("app")["refresh_token"]
    for _ in range(2):
        assert driver.refresh("app", first).status == 200
        driver.after(seconds=6)
    assert ended(driver.refresh("app", first))


def test_another_client_has_no_part_in_the_grace(driver):
    first = driver.tokens("web")
    second = driver.refresh("web", first["refresh_token"]).json
    assert ended(driver.refresh("hall", first["refresh_token"]))
    driver.after(minutes=1)
    assert ended(driver.refresh("hall", first["refresh_token"]))
    assert driver.refresh("web", second["refresh_token"]).status == 200, "and cannot end the family"


def test_what_follows_a_spent_token_cannot_be_read_from_the_database(driver):
    first = driver.tokens("app")
    second = driver.refresh("app", first["refresh_token"]).json["refresh_token"]
    with driver.database.transaction() as transaction:
        rows = transaction.execute(text("SELECT r::text FROM refresh_tokens r")).scalars().all()
    assert not any(second in row or second.encode().hex() in row for row in rows)


def test_of_many_at_once_with_one_token_all_get_the_one_successor(driver):
    for _ in range(5):
        token = driver.tokens("app")["refresh_token"]
        replies = race(*(lambda t=token: driver.refresh("app", t) for _ in range(4)))
        assert [reply.status for reply in replies] == [200] * 4
        assert len({reply.json["refresh_token"] for reply in replies}) == 1
        assert len({reply.json["access_token"] for reply in replies}) == 4
        assert live_tokens(driver, replies[0].json["access_token"]) == 1


def test_a_race_of_a_token_with_its_successor_leaves_one_live_token_or_none(driver):
    for _ in range(5):
        first = driver.tokens("app")["refresh_token"]
        second = driver.refresh("app", first).json
        replies = race(
            lambda t=first: driver.refresh("app", t), lambda t=second["refresh_token"]: driver.refresh("app", t)
        )
        family_lives = all(reply.status == 200 for reply in replies)
        assert live_tokens(driver, second["access_token"]) == (1 if family_lives else 0)


def test_a_race_with_a_revocation_leaves_nothing(driver):
    for _ in range(5):
        first = driver.tokens("app")
        token = first["refresh_token"]
        race(lambda t=token: driver.refresh("app", t), lambda t=token: driver.as_client("app", "revoke", token=t))
        assert live_tokens(driver, first["access_token"]) == 0


STEPS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 5, 11]), st.booleans()), min_size=1, max_size=12)


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_presented_a_family_has_one_live_token_or_has_ended(driver, steps):
    """Each step presents a token seen before (by its generation), some seconds later, once or twice at once."""
    first = driver.tokens("app")
    seen, used = [first["refresh_token"]], {}
    alive = True
    for pick, seconds, twice in steps:
        driver.after(seconds=seconds)
        token = seen[min(pick, len(seen) - 1)]
        calls = [lambda t=token: driver.refresh("app", t)] * (2 if twice else 1)
        replies = race(*calls) if twice else [calls[0]()]
        spent_at = used.get(token)
        is_newest = seen.index(token) == len(seen) - 1
        is_lost = seen.index(token) == len(seen) - 2 and driver.now - spent_at <= timedelta(seconds=10)
        alive = alive and (is_newest or is_lost)
        assert [reply.status for reply in replies] == [200 if alive else 400] * len(replies)
        if alive and is_newest:
            used[token] = driver.now
            seen.append(replies[0].json["refresh_token"])
        assert live_tokens(driver, first["access_token"]) == (1 if alive else 0)


def test_a_refresh_token_of_nobody_is_nothing(driver):
    assert ended(driver.refresh("app", secrets.token_urlsafe(32)))


def test_a_refresh_asks_for_no_more_scope_and_for_no_other_resource(driver):
    token = driver.tokens("app", scope="openid offline_access")["refresh_token"]
    assert driver.refresh("app", token, scope="openid cases").json["error"] == "invalid_scope"
    for resource in ("urn:onehall:rabbitmq", "https://elsewhere.example"):
        assert driver.refresh("app", token, resource=resource).json["error"] == "invalid_target"
    assert driver.refresh("app", token, resource="urn:onehall:api").status == 200


def test_a_narrow_refresh_does_not_narrow_the_next(driver):
    token = driver.tokens("app", scope="openid offline_access cases")["refresh_token"]
    narrow = driver.refresh("app", token, scope="openid").json
    assert "cases" in driver.refresh("app", narrow["refresh_token"]).json["scope"]


def test_lifetimes_are_the_clients(driver):
    with driver.database.transaction() as transaction:
        transaction.execute(
            text("UPDATE clients SET access_token_seconds = 120, refresh_token_seconds = 3600 WHERE id = 'rp-test'")
        )
    try:
        tokens = driver.tokens("rp-test")
        claims = identity_driver.claims_of(tokens["access_token"])
        assert (tokens["expires_in"], claims["exp"] - claims["iat"]) == (120, 120)
        renewed = driver.refresh("rp-test", tokens["refresh_token"]).json
        driver.after(hours=1)
        assert ended(driver.refresh("rp-test", renewed["refresh_token"]))
    finally:
        with driver.database.transaction() as transaction:
            transaction.execute(
                text(
                    "UPDATE clients SET access_token_seconds = NULL, refresh_token_seconds = NULL WHERE id = 'rp-test'"
                )
            )
