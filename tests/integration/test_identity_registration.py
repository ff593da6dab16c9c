"""Dynamic registration: who may register, as what, and who may change it (RFC 7591, RFC 7592)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.identity import commands, store
from tests.integration.identity_driver import CLIENT_KEY, REDIRECTS, SECRETS, basic, race

CALLBACK = "https://rp.example/callback"
MINIMAL = {"redirect_uris": [CALLBACK]}


def token_for(driver, uses=1, **until):
    with driver.database.transaction() as transaction:
        ends_at = driver.now + timedelta(**until or {"days": 1})
        return commands.add_registration_token(transaction, uses, ends_at)


def send(driver, endpoint, document, token, method="POST", path="register"):
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    body = document if isinstance(document, str) else json.dumps(document)
    return driver.call(endpoint, body, method, path=path, **headers)


def register(driver, document=MINIMAL, **more):
    return send(driver, "register", document | more, token_for(driver))


def registered(driver, **more):
    reply = register(driver, **more)
    assert reply.status == 201, reply.text
    return reply.json


def manage(driver, client, method, document="", token=None):
    path = client["registration_client_uri"].partition("/oauth/")[2]
    return send(driver, "registration", document, token or client["registration_access_token"], method, path)


def stored(driver, client):
    with driver.database.transaction() as transaction:
        return store.get_client(transaction, client["client_id"])


# Registering


def test_a_stranger_registers_and_gets_the_defaults(driver):
    reply = register(driver)
    assert (reply.status, reply.headers["Cache-Control"]) == (201, "no-store")
    client = reply.json
    assert client["registration_client_uri"].endswith(f"/oauth/register/{client['client_id']}")
    assert client["client_secret_expires_at"] == 0
    assert len(client["client_secret"]) >= 43
    expected = {
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "scope": "openid",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "public",
        "require_pushed_authorization_requests": False,
    }
    assert {name: client[name] for name in expected} == expected


def test_a_registered_client_is_a_client(driver):
    client = registered(
        driver, scope="openid email offline_access", grant_types=["authorization_code", "refresh_token"]
    )
    REDIRECTS[client["client_id"]], SECRETS[client["client_id"]] = CALLBACK, client["client_secret"]
    driver.sign_in(driver.register())
    asked = {"scope": "openid email offline_access"}
    assert driver.authorize(client["client_id"], **asked)["page"] == "consent"
    assert driver.tokens(client["client_id"], **asked)["refresh_token"]


def test_a_stranger_is_never_first_party(driver):
    client = registered(driver, first_party=True, channel="hall", department="civil-affairs", organisation="x")
    known = stored(driver, client)
    assert (known.first_party, known.channel, known.department, known.organisation) == (False, "web", None, None)


def test_what_is_unknown_is_ignored_and_null_is_nothing(driver):
    client = registered(
        driver, tos_uri="https://rp.example/tos", contacts=["a@rp.example"], scope=None, client_name=None
    )
    assert client["scope"] == "openid"
    assert client["client_name"] == client["client_id"]
    assert "tos_uri" not in client


def test_who_did_not_say_how_may_send_the_secret_either_way(driver):
    client = registered(driver)
    name, secret = client["client_id"], client["client_secret"]
    form = {"token": "none"}
    assert driver.call("revoke", form, authorization=basic(name, secret)).status == 200
    assert driver.call("revoke", form | {"client_id": name, "client_secret": secret}).status == 200
    said = registered(driver, token_endpoint_auth_method="client_secret_basic")
    name, secret = said["client_id"], said["client_secret"]
    assert driver.call("revoke", form | {"client_id": name, "client_secret": secret}).status == 401


@pytest.mark.parametrize(
    ("metadata", "has_secret"),
    [
        ({"token_endpoint_auth_method": "none"}, False),
        ({"token_endpoint_auth_method": "client_secret_post"}, True),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [CLIENT_KEY.as_dict(private=False)]}},
            False,
        ),
    ],
)
def test_a_client_chooses_how_it_proves_itself(driver, metadata, has_secret):
    client = registered(driver, **metadata)
    assert ("client_secret" in client) is has_secret
    assert client["token_endpoint_auth_method"] == metadata["token_endpoint_auth_method"]
    assert stored(driver, client).auth_methods == (metadata["token_endpoint_auth_method"],)


@pytest.mark.parametrize(
    "uri", ["https://rp.example/logout?x=y", "http://127.0.0.1:9000/out", "https://rp.example:8443/"]
)
def test_a_client_asks_to_be_told_of_the_end_of_sessions(driver, uri):
    client = registered(driver, backchannel_logout_uri=uri)
    assert client["backchannel_logout_uri"] == uri
    # every logout token names the session, asked for or not
    assert client["backchannel_logout_session_required"] is True
    assert stored(driver, client).backchannel_logout_uri == uri


def test_a_client_asks_for_more_safety(driver):
    asked = {
        "require_pushed_authorization_requests": True,
        "dpop_bound_access_tokens": True,
        "subject_type": "pairwise",
        "id_token_signed_response_alg": "RS256",
        "userinfo_signed_response_alg": "ES256",
    }
    client, known = registered(driver, **asked), None
    known = stored(driver, client)
    assert {name: client[name] for name in asked} == asked
    assert (known.require_par, known.requires_dpop, known.subject_type) == (True, True, "pairwise")
    assert (known.id_token_alg, known.userinfo_alg) == ("RS256", "ES256")


@pytest.mark.parametrize(
    "uris",
    [
        ["http://127.0.0.1/callback"],
        ["http://[::1]:8000/callback"],
        ["http://localhost:3000/callback"],
        ["com.example.app:/callback"],
        [CALLBACK, "https://rp.example/other?a=b"],
    ],
)
def test_addresses_that_a_stranger_may_have(driver, uris):
    assert registered(driver, redirect_uris=uris)["redirect_uris"] == uris


@pytest.mark.parametrize(
    "uris",
    [
        [],
        None,
        CALLBACK,
        [5],
        ["http://rp.example/callback"],
        ["http://127.0.0.1.evil.example/callback"],
        ["http://localhost.evil.example/"],
        ["onehall://callback"],
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["https://rp.example/callback#fragment"],
        ["https://user@rp.example/callback"],
        ["https://*.rp.example/callback"],
        ["/callback"],
        ["https://rp.example/" + "x" * 2_000],
        [f"https://rp.example/{n}" for n in range(11)],
    ],
)
def test_addresses_that_a_stranger_may_not_have(driver, uris):
    reply = register(driver, redirect_uris=uris)
    assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")
    assert reply.json["error_description"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"scope": "openid contacts"},
        {"scope": "events"},
        {"scope": "introspect"},
        {"scope": "root"},
        {"scope": ["openid"]},
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]},
        {"grant_types": ["refresh_token"]},
        {"grant_types": ["implicit"]},
        {"grant_types": "authorization_code"},
        {"response_types": ["token"]},
        {"response_types": ["code", "code id_token"]},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": ["none"]},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"id_token_signed_response_alg": "none"},
        {"id_token_signed_response_alg": "HS256"},
        {"userinfo_signed_response_alg": "none"},
        {"subject_type": "secret"},
        {"subject_type": "pairwise", "redirect_uris": [CALLBACK, "https://other.example/"]},
        {"application_type": "service"},
        {"client_name": "x" * 101},
        {"client_name": "bell\x07"},
        {"client_name": 5},
        {"require_pushed_authorization_requests": "yes"},
        {"dpop_bound_access_tokens": 1},
        {"post_logout_redirect_uris": ["http://rp.example/"]},
        {"post_logout_redirect_uris": ["https://rp.example/#out"]},
        {"post_logout_redirect_uris": ["https://rp.example@evil.example/"]},
        {"post_logout_redirect_uris": ["javascript:alert(1)"]},
        {"post_logout_redirect_uris": "https://rp.example/"},
        {"jwks_uri": "http://169.254.169.254/"},
        {"sector_identifier_uri": "https://rp.example/sector"},
        {"backchannel_logout_uri": "http://rp.example/logout"},
        {"backchannel_logout_uri": "http://localhost/logout"},
        {"backchannel_logout_uri": "https://rp.example/logout#x"},
        {"backchannel_logout_uri": "https://rp.example@evil.example/logout"},
        {"backchannel_logout_uri": "https://rp.example:22/logout"},
        {"backchannel_logout_uri": "onehall://logout"},
        {"backchannel_logout_uri": f"https://rp.example/{'x' * 2_000}"},
        {"backchannel_logout_uri": ["https://rp.example/logout"]},
        {"backchannel_logout_uri": "https://rp.example/logout", "backchannel_logout_session_required": "yes"},
        {"id_token_encrypted_response_alg": "RSA-OAEP"},
        {"software_statement": "e30.e30."},
        {"jwks": []},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [CLIENT_KEY.as_dict(private=True)]}},
        {"jwks": {"keys": [OctKey.generate_key(256).as_dict(private=True)]}},
        {"jwks": {"keys": [ECKey.generate_key("P-521").as_dict(private=False)]}},
        {"jwks": {"keys": [CLIENT_KEY.as_dict(private=False) | {"kid": "a\0"}]}},
        {"jwks": {"keys": [CLIENT_KEY.as_dict(private=False)] * 2}},
    ],
)
def test_what_a_stranger_may_not_be_is_refused_and_said(driver, metadata):
    token = token_for(driver)
    reply = send(driver, "register", MINIMAL | metadata, token)
    assert (reply.status, reply.json["error"]) == (400, "invalid_client_metadata")
    assert reply.json["error_description"]
    assert "client_id" not in reply.json
    # what was refused has used up nothing
    assert send(driver, "register", MINIMAL, token).status == 201


@pytest.mark.parametrize("body", ["", "{", "[]", "5", "\0", '"x"', "[" * 50_000, json.dumps({"x": "y" * 65_000})])
def test_what_is_no_document_is_refused(driver, body):
    reply = send(driver, "register", body, token_for(driver))
    assert (reply.status, reply.json["error"]) == (400, "invalid_client_metadata")


def test_short_rsa_keys_are_refused(driver):
    keys = {"kty": "RSA", "e": "AQAB", "n": "u" * 170 + "8"}
    reply = register(driver, jwks={"keys": [keys]})
    assert "bits" in reply.json["error_description"]


def test_only_known_parts_of_a_key_are_kept(driver):
    key = CLIENT_KEY.as_dict(private=False) | {"x5c": ["\0"], "note": "x"}
    client = registered(driver, jwks={"keys": [key], "more": 1})
    assert client["jwks"] == {"keys": [{"kty": "EC", "crv": "P-256", "x": key["x"], "y": key["y"], "kid": "one"}]}


def test_rsa_keys_are_taken(driver):
    key = RSAKey.generate_key(2048).as_dict(private=False)
    assert registered(driver, jwks={"keys": [key]})["jwks"]["keys"][0]["n"] == key["n"]


# The initial access token


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_nobody_registers_without_a_token(driver, token):
    reply = send(driver, "register", MINIMAL, token)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_is_for_so_many_clients(driver):
    token = token_for(driver, uses=2)
    replies = [send(driver, "register", MINIMAL, token) for _ in range(3)]
    assert [reply.status for reply in replies] == [201, 201, 401]
    assert replies[0].json["client_id"] != replies[1].json["client_id"]


def test_of_many_at_once_no_more_register(driver):
    token = token_for(driver, uses=2)
    replies = race(*(lambda: send(driver, "register", MINIMAL, token) for _ in range(4)))
    assert sorted(reply.status for reply in replies) == [201, 201, 401, 401]


def test_a_token_has_an_end(driver):
    token = token_for(driver, hours=1)
    driver.after(hours=1)
    assert send(driver, "register", MINIMAL, token).status == 401


def test_tokens_are_kept_as_hashes(driver):
    token = token_for(driver)
    client = registered(driver)
    with driver.database.transaction() as transaction:
        kept = transaction.exec_driver_sql("SELECT string_agg(i::text, ' ') FROM initial_access_tokens i").scalar()
        row = transaction.exec_driver_sql("SELECT string_agg(c::text, ' ') FROM clients c").scalar()
    assert token not in kept
    assert not any(client[name] in row for name in ("registration_access_token", "client_secret"))


# Managing


def test_a_client_reads_what_it_registered(driver):
    client = registered(driver, client_name="Library")
    reply = manage(driver, client, "GET")
    assert reply.status == 200
    assert reply.json == {k: v for k, v in client.items() if not k.startswith("client_secret")}


def test_a_change_replaces_everything_and_gives_a_new_token(driver):
    client = registered(driver, client_name="Library", scope="openid email")
    change = {"client_id": client["client_id"], "redirect_uris": ["https://rp.example/new"]}
    reply = manage(driver, client, "PUT", change)
    changed = reply.json
    assert reply.status == 200, reply.text
    assert (changed["redirect_uris"], changed["scope"]) == (["https://rp.example/new"], "openid")
    assert changed["registration_access_token"] != client["registration_access_token"]
    assert manage(driver, client, "GET").status == 401
    assert manage(driver, changed, "GET").status == 200
    # the secret stays, and is not shown again
    assert "client_secret" not in changed
    SECRETS[client["client_id"]] = client["client_secret"]
    assert driver.as_client(client["client_id"], "revoke", token="x").status == 200


def test_a_client_may_turn_to_another_way_of_proving_itself(driver):
    client = registered(driver)
    change = MINIMAL | {"client_id": client["client_id"]}
    public = manage(driver, client, "PUT", change | {"token_endpoint_auth_method": "none"}).json
    assert "client_secret" not in public
    assert stored(driver, client).is_public
    secret = manage(driver, public, "PUT", change).json["client_secret"]
    assert secret != client["client_secret"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "web"}, "invalid_client_metadata"),
        ({"client_id": None}, "invalid_client_metadata"),
        ({"client_secret": "mine"}, "invalid_client_metadata"),
        ({"registration_access_token": "mine"}, "invalid_client_metadata"),
        ({"client_id_issued_at": 1}, "invalid_client_metadata"),
        ({"scope": "contacts"}, "invalid_client_metadata"),
        ({"redirect_uris": ["http://evil.example"]}, "invalid_redirect_uri"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(driver, change, error):
    client = registered(driver)
    reply = manage(driver, client, "PUT", MINIMAL | {"client_id": client["client_id"]} | change)
    assert (reply.status, reply.json["error"]) == (400, error)
    assert manage(driver, client, "GET").json["redirect_uris"] == [CALLBACK]


def test_of_two_changes_with_one_token_one_is_made(driver):
    client = registered(driver)
    change = MINIMAL | {"client_id": client["client_id"]}
    replies = race(*(lambda: manage(driver, client, "PUT", change) for _ in range(3)))
    assert sorted(reply.status for reply in replies) == [200, 401, 401]


def test_a_change_makes_nobody_first_party(driver):
    client = registered(driver)
    change = MINIMAL | {"client_id": client["client_id"], "first_party": True, "scope": "openid cases"}
    assert manage(driver, client, "PUT", change).status == 200
    assert not stored(driver, client).first_party


def test_a_client_that_goes_takes_its_tokens_along(driver):
    client = registered(driver, scope="openid offline_access", grant_types=["authorization_code", "refresh_token"])
    REDIRECTS[client["client_id"]], SECRETS[client["client_id"]] = CALLBACK, client["client_secret"]
    driver.sign_in(driver.register())
    tokens = driver.tokens(client["client_id"], scope="openid offline_access")
    reply = manage(driver, client, "DELETE")
    assert (reply.status, reply.text) == (204, "")
    assert manage(driver, client, "GET").status == 401
    assert driver.authorize(client["client_id"])["page"] == "error"
    assert driver.refresh(client["client_id"], tokens["refresh_token"]).status == 401
    assert driver.userinfo(tokens["access_token"]).status == 401
    assert stored(driver, client).secret_hash is None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_client_manages_itself_only(driver, method):
    mine, other = registered(driver), registered(driver)
    change = MINIMAL | {"client_id": mine["client_id"]}
    for token in (other["registration_access_token"], token_for(driver), "wrong", mine["client_secret"]):
        assert manage(driver, mine, method, change, token).status == 401
    for name in ("web", "nobody", "%00", ""):
        foreign = mine | {"registration_client_uri": f"x/oauth/register/{name}"}
        assert manage(driver, foreign, method, change).status == 401
    assert manage(driver, mine, "GET").status == 200


def test_a_client_that_an_operator_disabled_manages_nothing(driver):
    client = registered(driver)
    with driver.database.transaction() as transaction:
        commands.disable_client(transaction, client["client_id"])
    assert manage(driver, client, "GET").status == 401
