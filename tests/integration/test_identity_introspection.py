"""Who may know what a token is worth, and what they are told; ID tokens and userinfo as a client wants them signed."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from contracts.errors import InvalidInput
from services.identity.domain import CLIENT_CREDENTIALS
from tests.integration import identity_driver
from tests.integration.identity_clients import register
from tests.integration.identity_driver import BASE, REDIRECTS, Driver, basic, claims_of, header_of, mail_of


@pytest.fixture(scope="module")
def seeded(identity_database):
    identity_driver.seed(identity_database)
    return identity_database


@pytest.fixture
def driver(seeded):
    driver = Driver(seeded)
    driver.account = driver.register()
    driver.sign_in(driver.account)
    return driver


@pytest.fixture
def resource_server(driver):
    return register(driver, grants=(CLIENT_CREDENTIALS,), redirect_uris=(), scopes=("introspect",))


INACTIVE = {"active": False}


def told(driver, client, token):
    reply = driver.as_client(client, "introspect", token=token)
    assert reply.status == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    return reply.json


def test_a_resource_server_is_told_who_through_what_and_how_long(driver, resource_server):
    token = driver.tokens("app")["access_token"]
    claims = claims_of(token)
    assert told(driver, resource_server, token) == {
        "active": True,
        "token_type": "Bearer",
        "acr": "1",
        **{name: claims[name] for name in ("iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti", "channel")},
    }


def test_a_client_is_told_of_its_own_tokens_and_of_no_others(driver):
    own, other = driver.tokens("web"), driver.tokens("hall")
    assert told(driver, "web", own["access_token"])["active"]
    refresh = told(driver, "web", own["refresh_token"])
    assert (refresh["active"], refresh["client_id"], refresh["sub"]) == (True, "web", driver.account.subject)
    assert "token_type" not in refresh
    for token in (other["access_token"], other["refresh_token"]):
        assert told(driver, "web", token) == INACTIVE


def test_a_resource_server_is_told_of_no_refresh_token(driver, resource_server):
    assert told(driver, resource_server, driver.tokens("web")["refresh_token"]) == INACTIVE


def test_what_is_dead_is_inactive_whatever_killed_it(driver, resource_server):
    for kill in (
        lambda tokens: driver.as_client("web", "revoke", token=tokens["access_token"]),
        lambda tokens: driver.as_client("web", "revoke", token=tokens["refresh_token"]),
        lambda tokens: driver.after(minutes=10),
    ):
        tokens = driver.tokens("web")
        assert told(driver, resource_server, tokens["access_token"])["active"]
        kill(tokens)
        assert told(driver, resource_server, tokens["access_token"]) == INACTIVE


def test_a_spent_refresh_token_is_inactive_and_asking_does_not_end_its_family(driver):
    first = driver.tokens("web")["refresh_token"]
    second = driver.refresh("web", first).json["refresh_token"]
    driver.after(minutes=1)
    assert told(driver, "web", first) == INACTIVE
    assert told(driver, "web", second)["active"]
    assert driver.refresh("web", second).status == 200


def test_what_is_no_token_of_ours_is_inactive(driver, resource_server):
    tokens = driver.tokens("web")
    forged = tokens["access_token"][:-4] + "AAAA"
    for token in ("x", "a.b.c", forged, tokens["id_token"], "\u00e9"):
        assert told(driver, resource_server, token) == INACTIVE


def test_nobody_is_told_anything_without_a_secret(driver):
    token = driver.tokens("app")["access_token"]
    assert driver.as_client("app", "introspect", token=token).status == 401, "its own, but public"
    assert driver.call("introspect", {"token": token}).status == 401
    assert driver.call("introspect", {"token": token}, authorization=basic("web", "wrong")).status == 401
    assert driver.as_client("web", "introspect").json["error"] == "invalid_request"
    assert driver.call("introspect", "", "GET").status == 405


def test_nobody_can_grant_the_right_to_introspect(driver):
    with pytest.raises(InvalidInput):
        register(driver, scopes=("openid", "introspect"))


# What is signed for a client, and how


def keys_of(driver):
    return KeySet.import_key_set(driver.call("jwks", "", "GET").json)


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_an_id_token_is_signed_as_the_client_wants_it(driver, alg):
    tokens = driver.tokens(register(driver, id_token_alg=alg))
    assert header_of(tokens["id_token"])["alg"] == alg
    assert header_of(tokens["access_token"])["alg"] == "ES256"
    claims = jwt.decode(tokens["id_token"], keys_of(driver), [alg]).claims
    assert (claims["iss"], len(claims["at_hash"])) == (BASE, 22)
    assert "c_hash" not in claims


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_userinfo_is_signed_if_the_client_wants_it(driver, alg):
    client = register(driver, userinfo_alg=alg)
    reply = driver.userinfo(driver.tokens(client)["access_token"])
    assert reply.headers["Content-Type"] == "application/jwt"
    claims = jwt.decode(reply.text, keys_of(driver), [alg]).claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (BASE, client, driver.account.subject)
    assert claims["email"] == mail_of(driver.account)


def test_a_signed_userinfo_is_no_access_token_and_no_other_kind(driver):
    reply = driver.userinfo(driver.tokens(register(driver, userinfo_alg="ES256"))["access_token"])
    assert driver.userinfo(reply.text).status == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"id_token_alg": "none"},
        {"id_token_alg": "HS256"},
        {"userinfo_alg": "none"},
        {"access_token_seconds": 59},
        {"access_token_seconds": 3_601},
        {"refresh_token_seconds": 3_599},
        {"refresh_token_seconds": 90 * 24 * 3600 + 1},
        {"subject_type": "secret"},
        {"subject_type": "pairwise", "first_party": True},
        {"subject_type": "pairwise", "redirect_uris": ("https://a.example/cb", "https://b.example/cb")},
    ],
)
def test_what_a_client_cannot_be_given_is_said_when_it_registers(driver, fields):
    with pytest.raises(InvalidInput):
        register(driver, **fields)


# Pairwise subjects


def subjects(driver, client):
    """In the ID token, the access token, userinfo and introspection."""
    tokens = driver.tokens(client)
    return [
        claims_of(tokens["id_token"])["sub"],
        claims_of(tokens["access_token"])["sub"],
        driver.userinfo(tokens["access_token"]).json["sub"],
        told(driver, client, tokens["access_token"])["sub"],
        told(driver, client, tokens["refresh_token"])["sub"],
    ]


def test_a_pairwise_client_knows_a_person_by_one_name_that_no_other_sector_knows(driver):
    one, two = (register(driver, subject_type="pairwise", host=host) for host in ("one.example", "two.example"))
    first, second = subjects(driver, one), subjects(driver, two)
    assert len(set(first)) == len(set(second)) == 1
    assert len({first[0], second[0], driver.account.subject}) == 3


def test_clients_of_one_sector_know_a_person_by_one_name(driver):
    by_host = [register(driver, subject_type="pairwise", host="same.example") for _ in range(2)]
    named = [
        register(driver, subject_type="pairwise", host=host, sector="s.example") for host in ("c.example", "d.example")
    ]
    for pair in (by_host, named):
        assert len({subjects(driver, client)[0] for client in pair}) == 1


def test_apps_of_one_machine_are_no_sector(driver):
    loopback = ("http://127.0.0.1/callback",)
    apps = [register(driver, public=True, subject_type="pairwise", redirect_uris=loopback) for _ in range(2)]
    for app in apps:
        REDIRECTS[app] = "http://127.0.0.1:40123/callback"
    assert len({claims_of(driver.tokens(app)["id_token"])["sub"] for app in apps}) == 2


def test_a_pairwise_name_outlives_restarts_and_refreshes(driver):
    client = register(driver, subject_type="pairwise")
    tokens = driver.tokens(client)
    again = Driver(driver.database, session=driver.session, now=driver.now)
    renewed = again.refresh(client, tokens["refresh_token"]).json
    assert claims_of(renewed["id_token"])["sub"] == claims_of(tokens["id_token"])["sub"]


def test_nothing_that_a_pairwise_client_reads_holds_the_persons_own_name(driver):
    client = register(driver, subject_type="pairwise")
    tokens = driver.tokens(client)
    seen = [str(claims_of(tokens[name])) for name in ("id_token", "access_token")]
    seen.append(driver.userinfo(tokens["access_token"]).text)
    assert not any(driver.account.subject in text for text in seen)


def test_a_resource_server_is_not_told_more_than_the_client_knows(driver, resource_server):
    token = driver.tokens(register(driver, subject_type="pairwise"))["access_token"]
    assert told(driver, resource_server, token)["sub"] == claims_of(token)["sub"] != driver.account.subject
