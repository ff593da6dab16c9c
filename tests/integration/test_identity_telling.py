"""What strangers' clients are told of a person is in the access log, once."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

ASKED = json.dumps({"id_token": {"name": None, "email": None}})


@pytest.fixture
def looks(signed_in):
    """How often the account's profile was read, by which client."""

    def looks():
        found = text("SELECT client FROM access_log WHERE account = :a AND what = 'profile' ORDER BY at")
        with signed_in.database.transaction() as transaction:
            return list(transaction.execute(found, {"a": signed_in.account.subject}).scalars())

    return looks


def rename(driver, name):
    with driver.database.transaction() as transaction:
        named = text("UPDATE accounts SET name = :name WHERE subject = :s")
        transaction.execute(named, {"s": driver.account.subject, "name": name})


def test_claims_in_an_id_token_are_a_look_once_a_session_and_again_when_they_change(signed_in, looks):
    tokens = signed_in.tokens("rp-test", claims=ASKED)
    for _ in range(2):
        tokens = signed_in.refresh("rp-test", tokens["refresh_token"]).json
    # again at the same client, in the same session
    signed_in.tokens("rp-test", claims=ASKED)
    assert looks() == ["rp-test"]
    rename(signed_in, "Another Name")
    for _ in range(2):
        tokens = signed_in.refresh("rp-test", tokens["refresh_token"]).json
    assert looks() == ["rp-test"] * 2


def test_what_userinfo_tells_is_a_look_and_the_same_again_is_none(signed_in, looks):
    tokens = signed_in.tokens("rp-test")
    for _ in range(3):
        assert signed_in.userinfo(tokens["access_token"]).json["name"]
    assert looks() == ["rp-test"]


def test_another_session_and_another_client_are_looks_of_their_own(signed_in, looks):
    signed_in.tokens("rp-test", claims=ASKED)
    other = signed_in.add_client()
    signed_in.tokens(other.id, claims=ASKED)
    signed_in.session = None
    signed_in.sign_in(signed_in.account)
    signed_in.tokens("rp-test", claims=ASKED)
    assert sorted(looks()) == sorted(["rp-test", "rp-test", other.id])


def test_an_id_token_that_tells_nothing_and_the_platforms_own_clients_are_no_look(signed_in, looks):
    signed_in.tokens("rp-test")
    signed_in.tokens("web", claims=ASKED)
    assert looks() == []


def test_what_is_remembered_does_not_tell_what_was_told(signed_in):
    signed_in.tokens("rp-test", claims=ASKED)
    with signed_in.database.transaction() as transaction:
        [told] = transaction.execute(
            text("SELECT told FROM token_families WHERE subject = :s"), {"s": signed_in.account.subject}
        ).scalars()
    assert [len(digest) for digest in told] == [32]
