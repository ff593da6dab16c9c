"""The token, revocation and userinfo endpoints, discovery and keys."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import text

from services.identity import commands
from services.identity.domain import (
    CODE_LIFETIME,
    REFRESH_TOKEN_ABSOLUTE,
    REFRESH_TOKEN_IDLE,
    SECRET_AUTH_METHODS,
    Client,
)
from services.identity.oauth.resources import BROKER
from services.identity.oauth.tokens import AUDIENCE
from services.identity.sealing import hash_secret
from tests.integration import identity_driver
from tests.integration.identity_driver import (
    BASE,
    COOKIE_KEY,
    REDIRECTS,
    SECRETS,
    Driver,
    basic,
    claims_of,
    header_of,
    mail_of,
    race,
)


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


def refused(reply, error="invalid_grant", status=400):
    assert (reply.status, reply.json["error"]) == (status, error)
    assert reply.headers["Cache-Control"] == "no-store"
    assert "access_token" not in reply.json
    return True


# What a token response holds


def test_a_token_response_is_whole_and_not_to_be_cached(driver):
    reply = driver.exchange("web", driver.code("web"))
    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Content-Type"] == "application/json"
    assert set(reply.json) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert (reply.json["token_type"], reply.json["expires_in"]) == ("Bearer", 600)


def test_an_access_token_says_who_through_what_and_for_how_long(driver):
    officer = driver.register(roles=("officer",), department="civil-affairs")
    driver.sign_in(officer, "hall")
    access_token = driver.tokens("hall")["access_token"]
    header, claims = header_of(access_token), claims_of(access_token)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    auth_time = int(driver.now.timestamp())
    assert claims.pop("jti")
    assert claims == {
        "iss": BASE,
        "sub": officer.subject,
        "aud": AUDIENCE,
        "client_id": "hall",
        "scope": identity_driver.SCOPE,
        "channel": "hall",
        "roles": ["officer"],
        "department": "civil-affairs",
        "acr": "1",
        "amr": ["pwd"],
        "iat": auth_time,
        "exp": auth_time + 600,
        "auth_time": auth_time,
    }


def test_one_person_is_one_subject_at_every_client(driver):
    subjects = {claims_of(driver.tokens(client)["access_token"])["sub"] for client in ("web", "hall", "app")}
    assert subjects == {driver.account.subject}


def test_an_id_token_binds_the_access_token(driver):
    driver.after(seconds=90)
    tokens = driver.tokens("app", nonce="n")
    claims = claims_of(tokens["id_token"])
    assert header_of(tokens["id_token"])["typ"] == "JWT"
    assert (claims["aud"], claims["nonce"], claims["acr"]) == ("app", "n", "1")
    assert claims["iat"] - claims["auth_time"] == 90
    # OpenID Connect Core, section 3.1.3.6: "the left-most half of the hash"
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_without_openid_there_is_no_id_token_and_without_offline_access_no_refresh_token(driver):
    tokens = driver.tokens("web", scope="cases")
    assert "id_token" not in tokens
    assert "refresh_token" not in tokens


def test_signatures_verify_against_the_published_keys(driver):
    keys = KeySet.import_key_set(driver.call("jwks", "", "GET").json)
    tokens = driver.tokens("web")
    for token in (tokens["access_token"], tokens["id_token"]):
        assert jwt.decode(token, keys, ["ES256"]).claims["iss"] == BASE


# Codes


def test_a_replayed_code_gives_nothing_and_ends_what_it_gave(driver):
    code = driver.code("web")
    tokens = driver.exchange("web", code).json
    assert driver.userinfo(tokens["access_token"]).status == 200
    assert refused(driver.exchange("web", code))
    assert refused(driver.refresh("web", tokens["refresh_token"]))
    assert driver.userinfo(tokens["access_token"]).status == 401


def test_of_two_requests_with_one_code_one_gets_tokens(driver):
    for _ in range(5):
        code = driver.code("app")
        replies = race(lambda code=code: driver.exchange("app", code), lambda code=code: driver.exchange("app", code))
        assert sorted(reply.status for reply in replies) == [200, 400]
        [tokens] = [reply.json for reply in replies if reply.status == 200]
        assert refused(driver.refresh("app", tokens["refresh_token"]))


def test_an_old_code_gives_nothing(driver):
    code = driver.code("web")
    driver.after(seconds=CODE_LIFETIME.total_seconds())
    assert refused(driver.exchange("web", code))


def test_a_code_of_another_client_gives_nothing_and_stays_its_own(driver):
    code = driver.code("web")
    assert refused(driver.exchange("hall", code, redirect_uri=REDIRECTS["web"]))
    assert driver.exchange("web", code).status == 200


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": REDIRECTS["hall"]}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
    ],
)
def test_a_code_needs_its_verifier_and_its_address(driver, change, error):
    assert refused(driver.exchange("web", driver.code("web"), **change), error)


def test_a_code_cannot_be_guessed_or_left_out(driver):
    assert refused(driver.exchange("web", "guessed"))
    assert refused(driver.exchange("web", ""), "invalid_request")


def test_a_code_is_spent_by_a_wrong_verifier(driver):
    code = driver.code("app")
    assert refused(driver.exchange("app", code, code_verifier="w" * 43))
    assert refused(driver.exchange("app", code))


# Refresh tokens


def test_a_refresh_token_gives_the_next_and_keeps_when_somebody_signed_in(driver):
    tokens = driver.tokens("app", nonce="n")
    driver.after(minutes=15)
    renewed = driver.refresh("app", tokens["refresh_token"]).json
    assert renewed["refresh_token"] != tokens["refresh_token"]
    first, second = claims_of(tokens["id_token"]), claims_of(renewed["id_token"])
    assert second["auth_time"] == first["auth_time"]
    assert second["iat"] - first["iat"] == 15 * 60
    assert "nonce" not in second
    assert claims_of(renewed["access_token"])["jti"] != claims_of(tokens["access_token"])["jti"]
    assert driver.refresh("app", renewed["refresh_token"]).status == 200


def test_a_spent_refresh_token_ends_its_family(driver):
    tokens = driver.tokens("app")
    other = driver.tokens("app")
    renewed = driver.refresh("app", tokens["refresh_token"]).json
    driver.after(seconds=11)
    assert refused(driver.refresh("app", tokens["refresh_token"]))
    assert refused(driver.refresh("app", renewed["refresh_token"]))
    assert driver.userinfo(renewed["access_token"]).status == 401
    assert driver.refresh("app", other["refresh_token"]).status == 200


def test_a_refresh_token_of_another_client_gives_nothing_and_stays_its_own(driver):
    token = driver.tokens("web")["refresh_token"]
    assert refused(driver.refresh("hall", token))
    assert refused(driver.refresh("app", token))
    assert driver.refresh("web", token).status == 200


def test_a_refresh_may_ask_for_less_but_not_for_more(driver):
    token = driver.tokens("app", scope="openid offline_access cases")["refresh_token"]
    assert refused(driver.refresh("app", token, scope="openid email"), "invalid_scope")
    narrow = driver.refresh("app", token, scope="cases").json
    assert narrow["scope"] == claims_of(narrow["access_token"])["scope"] == "cases"
    assert driver.refresh("app", narrow["refresh_token"]).json["scope"] == "openid offline_access cases"


def test_refresh_tokens_end_by_idleness_and_by_age(driver):
    idle, token = (driver.tokens("app")["refresh_token"] for _ in range(2))
    half = REFRESH_TOKEN_IDLE / 2
    for _ in range(REFRESH_TOKEN_ABSOLUTE // half - 1):
        driver.after(days=half.days)
        token = driver.refresh("app", token).json["refresh_token"]
    assert refused(driver.refresh("app", idle))
    driver.after(days=half.days)
    assert refused(driver.refresh("app", token))


# Clients


def test_a_program_gets_a_token_for_itself(driver):
    reply = driver.call(
        "token", {"grant_type": "client_credentials"}, authorization=basic("dept-civil-affairs", SECRETS["web"])
    )
    claims = claims_of(reply.json["access_token"])
    assert set(reply.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert (claims["sub"], claims["client_id"], claims["roles"]) == ("dept-civil-affairs", "dept-civil-affairs", [])
    assert (claims["department"], claims["scope"]) == ("civil-affairs", "cases events")
    assert "auth_time" not in claims


def test_a_program_gets_no_scope_that_it_was_not_registered_for(driver):
    form = {"grant_type": "client_credentials", "scope": "contacts"}
    assert refused(
        driver.call("token", form, authorization=basic("dept-civil-affairs", SECRETS["web"])), "invalid_scope"
    )
    reply = driver.call("token", form, authorization=basic("notify", "notify-secret"))
    assert reply.json["scope"] == "contacts"


@pytest.fixture
def program(driver):
    """Registers a program for its owner and gives how it asks for a token for itself."""

    def program(*, scopes=("cases", "events"), **fields):
        client = Client(
            f"program-{secrets.token_hex(4)}",
            "Program",
            hash_secret("s"),
            SECRET_AUTH_METHODS,
            grants=("client_credentials",),
            scopes=scopes,
            **fields,
        )
        with driver.database.transaction() as transaction:
            commands.add_client(transaction, client)
        return client.id, lambda **form: ask(driver, client.id, **form)

    return program


def ask(driver, client, resource=(), **form):
    body = urlencode({"grant_type": "client_credentials", "resource": resource, **form}, doseq=True)
    return driver.call("token", body, authorization=basic(client, "s"))


@pytest.mark.parametrize("owner", [{"department": "civil-affairs"}, {"organisation": "city-hospital"}])
def test_a_token_for_the_broker_opens_the_owners_queues_and_nothing_else(driver, program, owner):
    client, ask = program(**owner)
    reply = ask(resource=BROKER)
    claims = claims_of(reply.json["access_token"])
    assert claims.pop("jti")
    iat = int(driver.now.timestamp())
    scope = f"rabbitmq.read:%2F/dept.{owner.popitem()[1]}.*"
    assert claims == {
        "iss": BASE,
        "sub": client,
        "client_id": client,
        "aud": "rabbitmq",
        "scope": scope,
        "iat": iat,
        "exp": iat + 600,
    }
    assert (reply.json["scope"], reply.json["expires_in"]) == (scope, 600)


def test_a_token_for_the_broker_is_none_here(driver, program):
    _, ask = program(department="civil-affairs")
    assert driver.userinfo(ask(resource=BROKER).json["access_token"]).status == 401
    assert driver.userinfo(ask().json["access_token"]).status == 403


def test_without_a_resource_or_with_the_apis_the_token_is_for_the_api(program):
    _, ask = program(organisation="city-hospital")
    for form in ({}, {"resource": AUDIENCE}):
        claims = claims_of(ask(**form).json["access_token"])
        assert (claims["aud"], claims["scope"]) == (AUDIENCE, "cases events")
        assert (claims["organisation"], claims["department"]) == ("city-hospital", None)


def test_the_broker_is_for_programs_that_events_belong_to(program):
    for fields in ({"department": "civil-affairs", "scopes": ("cases",)}, {}):
        _, ask = program(**fields)
        assert refused(ask(resource=BROKER), "invalid_target")
    _, ask = program(department="civil-affairs")
    assert refused(ask(resource=BROKER, scope="cases"), "invalid_scope")


@pytest.mark.parametrize("resource", ["https://api.example/", "urn:onehall:rabbitmq2", [BROKER, AUDIENCE]])
def test_an_unknown_resource_or_two_are_refused(driver, program, resource):
    _, ask = program(department="civil-affairs")
    assert refused(ask(resource=resource), "invalid_target")


def test_a_person_gets_no_token_for_another_resource(driver):
    assert driver.refused("web", resource=BROKER)["error"] == "invalid_target"
    assert driver.tokens("web", resource=AUDIENCE)
    assert refused(driver.exchange("web", driver.code("web"), resource=BROKER), "invalid_target")


def test_who_has_ended_is_a_stranger_until_enabled_again(driver, program):
    client, ask = program(department="civil-affairs", ends_at=driver.now + timedelta(days=1))
    stranger = driver.call("token", {"grant_type": "client_credentials"}, authorization=basic("nobody", "s"))
    assert ask().status == 200
    driver.after(days=1)
    assert (ask().status, ask().json) == (stranger.status, stranger.json)
    with driver.database.transaction() as transaction:
        commands.enable_client(transaction, client, driver.now + timedelta(days=1), driver.now)
    assert ask().status == 200


def test_who_is_disabled_is_a_stranger_everywhere(driver, program):
    client, ask = program(department="civil-affairs")
    token = driver.tokens("rp-test")["refresh_token"]
    for disabled in (client, "rp-test"):
        with driver.database.transaction() as transaction:
            commands.disable_client(transaction, disabled)
    try:
        assert refused(ask(), "invalid_client", 401)
        assert refused(driver.refresh("rp-test", token), "invalid_client", 401)
        assert driver.authorize("rp-test")["page"] == "error"
        identity_driver.seed(driver.database)
        assert driver.authorize("rp-test")["page"] == "error", "seeding enables nobody"
    finally:
        with driver.database.transaction() as transaction:
            commands.enable_client(transaction, "rp-test", None, driver.now)
    assert driver.refresh("rp-test", token).status == 200


@pytest.mark.parametrize("client", ["web", "app", "rp-test"])
def test_a_client_without_the_grant_gets_no_token_for_itself(driver, client):
    assert refused(driver.as_client(client, "token", grant_type="client_credentials"), "unauthorized_client")


@pytest.mark.parametrize(
    "authorization",
    [
        basic("web", "wrong"),
        basic("web", ""),
        basic("nobody", "x"),
        basic("app", "x"),
        "Basic",
        "Basic !",
        "Basic /w==",
        "Basic d2Vi",
        "Basic \xe9",
        "Basic \ud800",
        basic("web%00", SECRETS["web"]),
        "Bearer x",
        basic("web\0", "x"),
    ],
)
def test_a_client_that_is_not_authentic_is_challenged(driver, authorization):
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECTS["web"]}
    reply = driver.call("token", form, authorization=authorization)
    assert refused(reply, "invalid_client", 401)
    assert reply.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "form",
    [
        {"client_id": "web"},
        {"client_id": "web", "client_secret": "wrong"},
        {"client_id": "nobody"},
        {"client_id": "app", "client_secret": "x"},
        {},
    ],
)
def test_a_posted_secret_is_checked_as_well(driver, form):
    reply = driver.call("token", form | {"grant_type": "refresh_token", "refresh_token": "x"})
    assert refused(reply, "invalid_client", 401)


def test_a_secret_may_be_posted(driver):
    form = {"grant_type": "refresh_token", "refresh_token": driver.tokens("web")["refresh_token"]}
    assert driver.call("token", form | {"client_id": "web", "client_secret": SECRETS["web"]}).status == 200


def test_two_ways_at_once_are_refused(driver):
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "web", "client_secret": SECRETS["web"]}
    assert refused(driver.call("token", form, authorization=basic("web", SECRETS["web"])), "invalid_request")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password&username=citizen&password=onehall-demo", "unsupported_grant_type"),
        ("grant_type=implicit", "unsupported_grant_type"),
        ("grant_type=%22%00", "invalid_request"),
        ("grant_type=refresh_token&grant_type=refresh_token", "invalid_request"),
    ],
)
def test_other_faults_have_their_names(driver, body, error):
    assert refused(driver.call("token", body), error)


def test_json_is_no_token_request(driver):
    body = json.dumps({"grant_type": "client_credentials"})
    assert refused(driver.call("token", body, **{"content-type": "application/json"}), "invalid_request")


# Revocation


def test_revoking_a_refresh_token_ends_its_family(driver):
    tokens = driver.tokens("app")
    assert driver.as_client("app", "revoke", token=tokens["refresh_token"], token_type_hint="unheard-of").status == 200
    assert refused(driver.refresh("app", tokens["refresh_token"]))
    assert driver.userinfo(tokens["access_token"]).status == 401
    assert driver.as_client("app", "revoke", token=tokens["refresh_token"]).status == 200


def test_revoking_an_access_token_ends_it_alone(driver):
    tokens = driver.tokens("web")
    for _ in range(2):
        assert driver.as_client("web", "revoke", token=tokens["access_token"]).status == 200
    assert driver.userinfo(tokens["access_token"]).status == 401
    renewed = driver.refresh("web", tokens["refresh_token"])
    assert driver.userinfo(renewed.json["access_token"]).status == 200


def test_revoking_what_is_unknown_is_no_error(driver):
    assert driver.as_client("web", "revoke", token="unknown").status == 200
    assert refused(driver.as_client("web", "revoke"), "invalid_request")


@pytest.mark.parametrize("character", ["%00", "\0", "\ud800"])
@pytest.mark.parametrize("endpoint", ["token", "revoke"])
def test_what_is_no_text_is_refused_before_it_is_looked_up(driver, endpoint, character):
    assert refused(
        driver.call(endpoint, f"client_id=web{character}&token=x&grant_type=refresh_token"), "invalid_request"
    )


def test_only_its_own_client_revokes_a_token(driver):
    tokens = driver.tokens("web")
    for token in (tokens["refresh_token"], tokens["access_token"]):
        assert refused(driver.as_client("app", "revoke", token=token))
    assert driver.userinfo(tokens["access_token"]).status == 200
    assert refused(driver.call("revoke", {"token": "x"}, authorization=basic("web", "wrong")), "invalid_client", 401)


# Userinfo


def test_userinfo_tells_what_the_scopes_open(driver):
    account, subject = driver.account, driver.account.subject
    assert driver.userinfo(driver.tokens("web", scope="openid")["access_token"]).json == {"sub": subject}
    everything = driver.userinfo(driver.tokens("web")["access_token"]).json
    assert everything == {
        "sub": subject,
        "name": account.name,
        "preferred_username": account.username,
        "locale": "zh-Hans",
        "email": mail_of(account),
    }


def test_userinfo_takes_the_token_in_a_form_too(driver):
    token = driver.tokens("web")["access_token"]
    assert driver.call("userinfo", {"access_token": token}).status == 200
    assert refused(driver.call("userinfo", {"access_token": token}, authorization=f"Bearer {token}"), "invalid_request")


def test_userinfo_without_a_token_names_no_error(driver):
    reply = driver.call("userinfo", "", "GET")
    assert (reply.status, reply.json, reply.headers["WWW-Authenticate"]) == (401, {}, "Bearer")


def test_userinfo_refuses_what_is_no_access_token(driver):
    tokens = driver.tokens("web")
    tampered = tokens["access_token"][:-4] + "AAAA"
    for token in (tokens["id_token"], tampered, "x", "a.b.c", tokens["refresh_token"]):
        reply = driver.userinfo(token)
        assert refused(reply, "invalid_token", 401)
        assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", [{"crit": 1}, {"crit": None}, {"crit": {}}, {"kid": []}, {"typ": 1}, [], None])
def test_a_token_with_a_strange_header_is_no_token(driver, header):
    if isinstance(header, dict):
        header = {"alg": "ES256"} | header
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    token = f"{encoded}.e30.{'A' * 86}"
    assert refused(driver.userinfo(token), "invalid_token", 401)
    assert driver.as_client("web", "revoke", token=token).status == 200


def test_userinfo_refuses_an_expired_token(driver):
    token = driver.tokens("web")["access_token"]
    driver.after(minutes=10)
    assert refused(driver.userinfo(token), "invalid_token", 401)


def test_userinfo_needs_the_scope_openid(driver):
    reply = driver.userinfo(driver.tokens("web", scope="cases")["access_token"])
    assert refused(reply, "insufficient_scope", 403)
    assert 'scope="openid"' in reply.headers["WWW-Authenticate"]


# Discovery and keys


def test_no_private_part_of_a_key_is_published(driver):
    for key in driver.call("jwks", "", "GET").json["keys"]:
        assert set(key) - {"kty", "kid", "use", "alg"} in ({"crv", "x", "y"}, {"n", "e"})


def test_a_replica_that_starts_at_the_same_time_makes_no_second_key(identity_database):
    driver = Driver(identity_database)
    with identity_database.transaction() as transaction:
        transaction.execute(text("DELETE FROM signing_keys"))
    replies = race(*(lambda: driver.call("jwks", "", "GET") for _ in range(3)))
    assert {reply.text for reply in replies} == {replies[0].text}
    assert [key["alg"] for key in replies[0].json["keys"]] == ["ES256", "RS256"]


def test_after_a_change_of_the_sealing_key_a_new_key_signs_and_old_tokens_verify(driver):
    token = driver.tokens("web")["access_token"]
    driver.cookie_key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    assert driver.userinfo(token).status == 200
    driver.after(seconds=1)
    assert header_of(driver.tokens("web")["access_token"])["kid"] != header_of(token)["kid"]
    driver.cookie_key = COOKIE_KEY
    assert header_of(driver.tokens("web")["access_token"])["kid"] == header_of(token)["kid"]


def test_the_wrong_method_is_named(driver):
    reply = driver.call("token", "", "GET")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
