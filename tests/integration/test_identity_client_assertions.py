"""Clients that sign instead of knowing a secret (RFC 7523): what proves them, and what does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets

import pytest
from joserfc.jwk import ECKey

from services.identity import commands
from services.identity.oauth.client_assertion import MAX_LIFETIME, SKEW, TYPE
from tests.integration import identity_driver
from tests.integration.identity_driver import BASE, CLIENT_KEY, RSA_KEY, VERIFIER, Driver, basic, race

CREDENTIALS = {"grant_type": "client_credentials", "scope": "cases"}
PROGRAM = {"grants": ("client_credentials",), "scopes": ("cases",)}


@pytest.fixture(scope="module")
def driver(identity_database):
    identity_driver.seed(identity_database)
    return Driver(identity_database)


@pytest.fixture(scope="module")
def program(driver):
    """A client that signs in as itself."""
    return driver.add_signing_client(**PROGRAM).id


def signs_in(driver, assertion, **more):
    reply = driver.by_assertion("token", assertion, **CREDENTIALS | more)
    if reply.status != 200:
        assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    return reply.status == 200


@pytest.mark.parametrize("audience", [BASE, f"{BASE}/oauth/token", f"{BASE}/oauth/par", [BASE]])
def test_a_signature_proves_a_client(driver, program, audience):
    assert signs_in(driver, driver.assertion(program, aud=audience))
    assert signs_in(driver, driver.assertion(program, aud=audience), client_id=program)


def test_a_client_may_sign_by_rsa(driver):
    client = driver.add_signing_client(RSA_KEY, **PROGRAM).id
    assert signs_in(driver, driver.assertion(client, RSA_KEY, {"alg": "RS256", "kid": "rsa"}))
    assert not signs_in(driver, driver.assertion(client, RSA_KEY, {"alg": "RS384"}))


def test_a_client_may_have_several_keys(driver):
    jwks = {"keys": [CLIENT_KEY.as_dict(private=False), RSA_KEY.as_dict(private=False)]}
    client = driver.add_signing_client(**PROGRAM, jwks=jwks).id
    assert signs_in(driver, driver.assertion(client, header={"kid": "one"}))
    assert signs_in(driver, driver.assertion(client, RSA_KEY, {"alg": "RS256", "kid": "rsa"}))
    assert not signs_in(driver, driver.assertion(client, header={"kid": "rsa"}))


@pytest.mark.parametrize("endpoint", ["token", "par", "revoke"])
def test_it_is_the_same_at_every_endpoint(driver, endpoint):
    client = driver.add_signing_client().id
    form = driver.parameters(client) | {"grant_type": "refresh_token", "refresh_token": "none", "token": "none"}
    reply = driver.by_assertion(endpoint, driver.assertion(client), **form)
    assert reply.status != 401, reply.text
    other = driver.assertion(client, ECKey.generate_key("P-256", {"kid": "one"}))
    assert driver.by_assertion(endpoint, other, **form).status == 401


def test_a_client_that_signs_gets_tokens_by_a_code(driver):
    driver.sign_in(driver.register())
    client = driver.add_signing_client()
    form = {"grant_type": "authorization_code", "code": driver.code(client.id), "code_verifier": VERIFIER}
    form["redirect_uri"] = client.redirect_uris[0]
    assert driver.by_assertion("token", driver.assertion(client.id), **form).status == 200


# Attacks


def test_an_assertion_is_used_once(driver, program):
    assertion = driver.assertion(program)
    assert signs_in(driver, assertion)
    assert not signs_in(driver, assertion)


def test_of_two_at_once_with_one_assertion_one_signs_in(driver, program):
    for _ in range(5):
        assertion = driver.assertion(program)
        replies = race(*(lambda a=assertion: driver.by_assertion("token", a, **CREDENTIALS) for _ in range(3)))
        assert sorted(reply.status for reply in replies) == [200, 401, 401]


def test_an_identifier_of_another_client_is_not_used_up(driver, program):
    other, jti = driver.add_signing_client(**PROGRAM).id, secrets.token_hex(8)
    assert signs_in(driver, driver.assertion(program, jti=jti))
    assert signs_in(driver, driver.assertion(other, jti=jti))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example"},
        {"aud": [BASE, "https://other.example"]},
        {"aud": f"{BASE}/"},
        {"aud": f"{BASE}/oauth/authorize"},
        {"aud": []},
        {"aud": {"x": 1}},
        {"aud": None},
        {"iss": "web"},
        {"iss": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 201},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"iat": "now"},
    ],
)
def test_an_assertion_for_somebody_else_or_without_limits_proves_nothing(driver, program, claims):
    assert not signs_in(driver, driver.assertion(program, **claims))


@pytest.mark.parametrize(
    ("claim", "seconds", "is_good"),
    [
        ("exp", -SKEW.total_seconds() + 1, True),
        ("exp", -SKEW.total_seconds() - 1, False),
        ("exp", MAX_LIFETIME.total_seconds(), True),
        ("exp", MAX_LIFETIME.total_seconds() + SKEW.total_seconds() + 2, False),
        ("iat", SKEW.total_seconds() - 1, True),
        ("iat", SKEW.total_seconds() + 2, False),
        ("nbf", SKEW.total_seconds() + 2, False),
    ],
)
def test_clocks_may_differ_by_a_minute(driver, program, claim, seconds, is_good):
    moment = int(driver.now.timestamp() + seconds)
    assert signs_in(driver, driver.assertion(program, **{claim: moment})) is is_good


def test_a_used_assertion_is_remembered_as_long_as_it_is_good(driver, program):
    late = driver.now.timestamp() + 30
    assertion = driver.assertion(program, exp=int(late))
    later = Driver(driver.database, now=driver.now)
    assert signs_in(later, assertion)
    later.after(seconds=30 + SKEW.total_seconds() - 2)
    with later.database.transaction() as transaction:
        commands.remove_expired(transaction, later.now)
    assert not signs_in(later, assertion)


def encoded(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def unsigned(driver, client, header):
    exp = int(driver.now.timestamp()) + 60
    claims = {"iss": client, "sub": client, "aud": BASE, "exp": exp, "jti": secrets.token_hex(8)}
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))


def test_no_signature_proves_nothing(driver, program):
    for algorithm in ("none", "None", "NONE", "ES256", ""):
        assert not signs_in(driver, unsigned(driver, program, {"alg": algorithm}) + ".")


@pytest.mark.parametrize("key", [RSA_KEY, CLIENT_KEY])
def test_the_public_key_is_no_secret_to_sign_with(driver, key):
    client = driver.add_signing_client(key, **PROGRAM).id
    message = unsigned(driver, client, {"alg": "HS256", "kid": key.kid})
    jwk = json.dumps(key.as_dict(private=False)).encode()
    for secret in (key.as_pem(private=False), key.as_der(private=False), jwk):
        signature = hmac.digest(secret, message.encode(), hashlib.sha256)
        assert not signs_in(driver, f"{message}.{encoded(signature)}")


def test_a_key_that_the_assertion_brings_along_is_not_asked(driver, program):
    thief = ECKey.generate_key("P-256", {"kid": "one"})
    for header in ({"jwk": thief.as_dict(private=False)}, {"jku": "https://evil.example/jwks"}, {"kid": "other"}):
        assert not signs_in(driver, driver.assertion(program, thief, header))


def test_a_client_cannot_sign_for_another(driver, program):
    other = driver.add_signing_client(ECKey.generate_key("P-256", {"kid": "one"}), **PROGRAM).id
    assert not signs_in(driver, driver.assertion(other))
    assert not signs_in(driver, driver.assertion(program, sub=other))
    form = CREDENTIALS | {"client_id": other}
    reply = driver.by_assertion("token", driver.assertion(program), **form)
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "assertion", ["", "x", "a.b", "a.b.c", "é.é.é", "e30.e30.e30", "e30.W10.e30", "e30.bnVsbA.", "x" * 9_000]
)
def test_what_is_no_assertion_proves_nothing(driver, assertion):
    form = CREDENTIALS | {"client_assertion": assertion, "client_assertion_type": TYPE}
    assert driver.call("token", form).status == 401


def test_one_way_at_a_time(driver, program):
    proof = {"client_assertion": driver.assertion(program), "client_assertion_type": TYPE}
    for form, headers in (
        (CREDENTIALS | proof, {"authorization": basic(program, "x")}),
        (CREDENTIALS | proof | {"client_secret": "x"}, {}),
        (CREDENTIALS | proof | {"client_assertion_type": "urn:other"}, {}),
    ):
        reply = driver.call("token", form, **headers)
        assert (reply.status, reply.json["error"]) == (400, "invalid_request")
    assert signs_in(driver, proof["client_assertion"])


@pytest.mark.parametrize("subject", ["\\u0000", "\\ud800", "nobody", ""])
def test_a_client_that_cannot_be_proves_nothing(driver, subject):
    claims = encoded(f'{{"sub": "{subject}"}}'.encode())
    form = CREDENTIALS | {"client_assertion": f"e30.{claims}.e30", "client_assertion_type": TYPE}
    assert driver.call("token", form).status == 401


@pytest.mark.parametrize("method", [{"secret": "x"}, {}])
def test_a_client_that_signs_is_not_proved_otherwise(driver, program, method):
    form = CREDENTIALS | {"client_id": program}
    reply = driver.call("token", form | ({"client_secret": method["secret"]} if method else {}))
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")


def test_a_client_with_a_secret_does_not_sign(driver):
    assert not signs_in(driver, driver.assertion("rp-test"))
