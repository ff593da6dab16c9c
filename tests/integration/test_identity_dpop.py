"""Tokens that are bound to a key (RFC 9449), at the provider's own endpoints."""

from __future__ import annotations

import pytest

from services.identity.domain import CLIENT_CREDENTIALS
from tests.integration import identity_driver
from tests.integration.identity_clients import register
from tests.integration.identity_driver import BASE, REDIRECTS, SECRETS, VERIFIER, Driver, basic, claims_of, race
from tests.proofs import make_key, make_proof

TOKEN, USERINFO = f"{BASE}/oauth/token", f"{BASE}/oauth/userinfo"


@pytest.fixture(scope="module")
def seeded(identity_database):
    identity_driver.seed(identity_database)
    return identity_database


@pytest.fixture
def driver(seeded):
    driver = Driver(seeded)
    driver.sign_in(driver.register())
    return driver


@pytest.fixture
def key():
    return make_key()


def ask(driver, client, form, key=None, proof=None):
    headers = {"authorization": basic(client, SECRETS[client])} if client in SECRETS else {}
    proof = proof or (key and make_proof(key, "POST", TOKEN, now=driver.now.timestamp()))
    return driver.call("token", form | {"client_id": client}, **headers | ({"dpop": proof} if proof else {}))


def exchange(driver, client, key=None, proof=None, **changes):
    form = {"grant_type": "authorization_code", "code": driver.code(client, **changes), "code_verifier": VERIFIER}
    return ask(driver, client, form | {"redirect_uri": REDIRECTS[client]}, key, proof)


def refresh(driver, client, token, key=None):
    return ask(driver, client, {"grant_type": "refresh_token", "refresh_token": token}, key)


def userinfo(driver, token, key, scheme="DPoP", **changes):
    changes = {"access_token": token, "now": driver.now.timestamp()} | changes
    return driver.call(
        "userinfo", "", "GET", authorization=f"{scheme} {token}", dpop=make_proof(key, "GET", USERINFO, **changes)
    )


def refused(reply, error="invalid_dpop_proof", status=400):
    return (reply.status, reply.json.get("error")) == (status, error)


def test_a_proof_binds_the_tokens(driver, key):
    tokens = exchange(driver, "app", key).json
    assert tokens["token_type"] == "DPoP"
    assert claims_of(tokens["access_token"])["cnf"] == {"jkt": key.thumbprint()}
    assert "cnf" not in claims_of(tokens["id_token"])
    assert userinfo(driver, tokens["access_token"], key).status == 200


def test_without_a_proof_tokens_are_bearers(driver):
    tokens = driver.tokens("app")
    assert tokens["token_type"] == "Bearer"
    assert "cnf" not in claims_of(tokens["access_token"])


def test_a_client_that_must_prove_gets_nothing_without(driver, key):
    client = register(driver, public=True, requires_dpop=True)
    assert refused(exchange(driver, client))
    tokens = exchange(driver, client, key).json
    assert refused(refresh(driver, client, tokens["refresh_token"]))
    assert refresh(driver, client, tokens["refresh_token"], key).json["token_type"] == "DPoP"


def test_a_program_binds_its_own_token_too(driver, key):
    client = register(driver, grants=(CLIENT_CREDENTIALS,), redirect_uris=(), scopes=("cases",), requires_dpop=True)
    assert refused(ask(driver, client, {"grant_type": "client_credentials"}))
    token = ask(driver, client, {"grant_type": "client_credentials"}, key).json
    assert claims_of(token["access_token"])["cnf"] == {"jkt": key.thumbprint()}


def test_a_public_clients_refresh_token_is_worth_nothing_without_the_key(driver, key):
    tokens = exchange(driver, "app", key).json
    for thief in (None, make_key()):
        assert refused(refresh(driver, "app", tokens["refresh_token"], thief), "invalid_grant")
    renewed = refresh(driver, "app", tokens["refresh_token"], key)
    assert renewed.status == 200, "and the thief has not ended the family"
    assert refresh(driver, "app", renewed.json["refresh_token"], key).status == 200


def test_a_lost_answer_is_given_again_only_to_the_key(driver, key):
    token = exchange(driver, "app", key).json["refresh_token"]
    lost = refresh(driver, "app", token, key).json["refresh_token"]
    assert refused(refresh(driver, "app", token, make_key()), "invalid_grant")
    assert refresh(driver, "app", token, key).json["refresh_token"] == lost


def test_a_confidential_client_may_change_its_key(driver, key):
    tokens, other = exchange(driver, "web", key).json, make_key()
    renewed = refresh(driver, "web", tokens["refresh_token"], other).json
    assert claims_of(renewed["access_token"])["cnf"] == {"jkt": other.thumbprint()}


def test_a_proof_is_used_once_also_of_two_at_once(driver, key):
    for _ in range(3):
        proof = make_proof(key, "POST", TOKEN, now=driver.now.timestamp())
        codes = [
            {"grant_type": "authorization_code", "code": driver.code("app"), "code_verifier": VERIFIER}
            | {"redirect_uri": REDIRECTS["app"]}
            for _ in range(2)
        ]
        replies = race(*(lambda form=form, proof=proof: ask(driver, "app", form, proof=proof) for form in codes))
        assert sorted(reply.status for reply in replies) == [200, 400]
        [refusal] = [reply for reply in replies if reply.status == 400]
        assert refused(refusal)


def test_a_stranger_spends_no_proof(driver, key):
    """Proofs are remembered of clients that are known: nobody else can fill the memory."""
    proof = make_proof(key, "POST", TOKEN, now=driver.now.timestamp())
    form = {"grant_type": "client_credentials"}
    assert driver.call("token", form, authorization=basic("web", "wrong"), dpop=proof).status == 401
    assert exchange(driver, "app", proof=proof).status == 200


def test_a_bad_proof_leaves_the_code_usable(driver, key):
    form = {"grant_type": "authorization_code", "code": driver.code("app"), "code_verifier": VERIFIER}
    form |= {"redirect_uri": REDIRECTS["app"]}
    for bad in ("x", make_proof(key, "POST", USERINFO), make_proof(key, "POST", TOKEN, now=1)):
        assert refused(ask(driver, "app", form, proof=bad))
    assert ask(driver, "app", form, key).status == 200


def test_a_code_that_was_asked_for_with_a_key_is_worth_nothing_without_it(driver, key):
    jkt = key.thumbprint()
    assert exchange(driver, "app", key, dpop_jkt=jkt).status == 200
    assert refused(exchange(driver, "app", make_key(), dpop_jkt=jkt), "invalid_grant")
    assert refused(exchange(driver, "app", dpop_jkt=jkt), "invalid_grant")


def test_userinfo_takes_a_bound_token_with_its_proof_only(driver, key):
    token = exchange(driver, "app", key).json["access_token"]
    bearer = driver.userinfo(token)
    assert refused(bearer, status=401)
    assert bearer.headers["WWW-Authenticate"].startswith("DPoP ")
    assert driver.call("userinfo", {"access_token": token}).status == 401
    for proofs in (
        {"access_token": "another"},
        {"access_token": None},
        {"now": 1},
        {"htm": "POST"},
        {"htu": TOKEN},
    ):
        assert refused(userinfo(driver, token, key, **proofs), status=401)
    assert refused(userinfo(driver, token, make_key()), status=401)
    assert refused(driver.call("userinfo", "", "GET", authorization=f"DPoP {token}"), status=401)


def test_userinfo_takes_no_bearer_token_as_a_bound_one(driver, key):
    assert refused(userinfo(driver, driver.tokens("app")["access_token"], key), status=401)


def test_introspection_tells_of_the_key(driver, key):
    token = exchange(driver, "web", key).json["access_token"]
    told = driver.as_client("web", "introspect", token=token).json
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": key.thumbprint()})
