"""Discovery says what is true (OpenID Connect Discovery 1.0; RFC 8414): each claim is tried, nothing is left out."""

from __future__ import annotations

import json

import pytest

from contracts.errors import InvalidInput
from gateway import oauth
from gateway.languages import LANGUAGES
from services.identity.domain import AUTH_METHODS, GRANTS, PROGRAM_SCOPES, SCOPES
from services.identity.oauth.protocol import ENDPOINTS
from services.identity.sessions import commands as sessions
from services.identity.sessions.tables import logout_notices
from tests.integration import identity_driver
from tests.integration.identity_driver import BASE, SECRETS, basic, claims_of, header_of, returned
from tests.unit.gateway_fakes import FakeRpc, make_door

ALGORITHMS = ("ES256", "RS256", "PS256", "HS256", "none")
KNOWN = {
    "issuer",
    "authorization_endpoint",
    "end_session_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "device_authorization_endpoint",
    "jwks_uri",
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "userinfo_signing_alg_values_supported",
    "dpop_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "code_challenge_methods_supported",
    "prompt_values_supported",
    "acr_values_supported",
    "claims_supported",
    "ui_locales_supported",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
}
"""What is tried here. Whoever says more in the document adds it, and a test that it is true."""


@pytest.fixture
def driver(signed_in):
    return signed_in


@pytest.fixture
def document(driver):
    reply = driver.call("configuration", "", "GET")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    return reply.json


def endpoints_of(document):
    return {name: url for name, url in document.items() if name.endswith(("_endpoint", "jwks_uri"))}


def is_accepted(driver, **changes):
    """Whether a request with this in it gets somewhere; the client is told what it asked for in vain."""
    page = driver.authorize("rp-test", **changes)
    if page["page"] in ("login", "consent"):
        return True
    if page["page"] == "error":
        return False
    return returned(page).get("error") in (None, "consent_required", "login_required")


def test_nothing_is_said_that_is_not_tried_here(document):
    assert document.keys() == KNOWN


def test_the_issuer_is_the_base_address(document):
    assert document["issuer"] == BASE


# Endpoints


def test_the_gateway_serves_every_endpoint(document):
    for name, url in endpoints_of(document).items():
        assert url.startswith(f"{BASE}/"), name
        assert is_served(url.removeprefix(BASE)), name


def test_every_endpoint_that_the_gateway_serves_is_said(document):
    said = {url.removeprefix(BASE) for url in endpoints_of(document).values()}
    served = {route.path for route in oauth.router.routes if route.path.startswith("/oauth/")}
    # told to each client when it registers
    assert served - said == {"/oauth/register/{client_id}"}


def test_the_document_is_found_by_both_standards():
    assert is_served("/.well-known/openid-configuration")
    assert is_served("/.well-known/oauth-authorization-server")
    assert not is_served("/.well-known/other")


def is_served(path):
    error = {"page": "error", "error": "x", "description": None}
    answers = {"identity.answer_authorization": error, "identity.answer_end_session": error}
    door = make_door(FakeRpc(answers))
    return any(door.request(method, path).status_code not in (404, 405) for method in ("GET", "POST"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_answers(driver, endpoint):
    for method in ENDPOINTS[endpoint].methods:
        reply = driver.call(endpoint, "", method)
        assert reply.status in (200, 400, 401), reply.text
    reply = driver.call(endpoint, "", "PATCH")
    assert (reply.status, reply.headers["Allow"]) == (405, ", ".join(ENDPOINTS[endpoint].methods))


# Grants and clients


def test_grants(driver, document):
    client = driver.add_client(grants=("authorization_code", "refresh_token"))
    for grant in {*GRANTS, *document["grant_types_supported"], "password", "implicit"}:
        reply = driver.as_client(client.id, "token", grant_type=grant)
        is_served = reply.json["error"] != "unsupported_grant_type"
        assert is_served == (grant in document["grant_types_supported"]), grant


@pytest.mark.parametrize("name", ["token", "revocation", "introspection"])
def test_ways_of_proving_a_client(driver, document, name):
    endpoint = {"revocation": "revoke", "introspection": "introspect"}.get(name, name)
    methods = document[f"{name}_endpoint_auth_methods_supported"]
    assert methods
    for method in AUTH_METHODS:
        reply = proved_by(driver, method, endpoint)
        assert (reply.status not in (401, 403)) == (method in methods), f"{method}: {reply.text}"


def proved_by(driver, method, endpoint):
    form = {"grant_type": "refresh_token", "refresh_token": "none", "token": "none"}
    if method == "private_key_jwt":
        client = driver.add_signing_client().id
        return driver.by_assertion(endpoint, driver.assertion(client), **form)
    if method == "none":
        public = driver.add_client(secret_hash=None, auth_methods=("none",)).id
        return driver.call(endpoint, form | {"client_id": public})
    client = driver.add_client(auth_methods=(method,)).id
    if method == "client_secret_basic":
        return driver.call(endpoint, form, authorization=basic(client, SECRETS[client]))
    return driver.call(endpoint, form | {"client_id": client, "client_secret": SECRETS[client]})


# Authorization requests


@pytest.mark.parametrize(
    ("parameter", "said", "others"),
    [
        ("response_type", "response_types_supported", ["token", "id_token", "code id_token", "none"]),
        ("response_mode", "response_modes_supported", ["fragment", "jwt", "query.jwt", "form_post.jwt"]),
        ("prompt", "prompt_values_supported", ["create", "x"]),
        ("code_challenge_method", "code_challenge_methods_supported", ["plain", "s256"]),
    ],
)
def test_values_of_parameters(driver, document, parameter, said, others):
    assert document[said]
    for value in (*document[said], *others):
        assert is_accepted(driver, **{parameter: value}) == (value in document[said]), value


def test_response_modes_differ(driver):
    pages = {mode: driver.authorize("web", response_mode=mode)["page"] for mode in ("query", "form_post")}
    assert pages == {"query": "redirect", "form_post": "form_post"}


@pytest.mark.parametrize("parameter", ["request", "request_uri"])
def test_request_objects_are_not_taken(driver, document, parameter):
    assert document[f"{parameter}_parameter_supported"] is is_accepted(driver, **{parameter: "https://rp.example/x"})


def test_every_answer_names_the_issuer(driver, document):
    assert document["authorization_response_iss_parameter_supported"]
    # `returned` looks for it
    assert returned(driver.authorize("web"))
    assert returned(driver.authorize("web", scope="root"))


def test_clients_are_told_of_the_end_of_a_session_by_its_name(driver, document):
    assert document["backchannel_logout_supported"]
    assert document["backchannel_logout_session_supported"]
    client = driver.add_client(backchannel_logout_uri="https://rp.example/out")
    sid = claims_of(driver.tokens(client.id)["id_token"])["sid"]
    with driver.database.transaction() as transaction:
        sessions.sign_out(transaction, driver.session, driver.now)
        (notice,) = transaction.execute(logout_notices.delete().returning(logout_notices)).all()
    assert (notice.client_id, notice.sid) == (client.id, sid)


def test_pushing_is_not_asked_of_everybody(driver, document):
    assert document["require_pushed_authorization_requests"] is False
    assert is_accepted(driver)


def test_scopes(driver, document):
    assert sorted(document["scopes_supported"]) == sorted(SCOPES)
    program = driver.add_client(grants=("client_credentials",), scopes=SCOPES, department="civil-affairs")
    for scope in document["scopes_supported"]:
        if scope in PROGRAM_SCOPES:
            reply = driver.as_client(program.id, "token", grant_type="client_credentials", scope=scope)
            assert reply.json["scope"] == scope
        else:
            assert driver.tokens("web", scope=scope)["scope"] == scope
    assert not is_accepted(driver, scope="root")


# What is told about a person


def test_claims(driver, document):
    scope = " ".join(scope for scope in document["scopes_supported"] if scope not in PROGRAM_SCOPES)
    client = driver.add_client(scopes=tuple(scope.split()), userinfo_alg="ES256")
    tokens = driver.tokens(client.id, scope=scope)
    told = claims_of(driver.userinfo(tokens["access_token"]).text).keys() | claims_of(tokens["id_token"]).keys()
    assert set(document["claims_supported"]) == told


def test_claims_by_name(driver, document):
    assert document["claims_parameter_supported"]
    claims = json.dumps({"userinfo": {"email": None}, "id_token": {"name": None}})
    tokens = driver.tokens("rp-test", scope="openid", claims=claims)
    assert "email" in driver.userinfo(tokens["access_token"]).json
    assert "name" in claims_of(tokens["id_token"])


def test_levels_of_assurance(driver, document):
    stated = claims_of(driver.tokens("rp-test")["id_token"])["acr"]
    assert stated in document["acr_values_supported"]
    demand = json.dumps({"id_token": {"acr": {"essential": True, "values": document["acr_values_supported"]}}})
    assert claims_of(driver.tokens("rp-test", claims=demand)["id_token"])["acr"] in document["acr_values_supported"]


def test_subject_types(driver, document):
    assert document["subject_types_supported"] == ["public", "pairwise"]
    pairwise = driver.add_client(subject_type="pairwise")
    subjects = [claims_of(driver.tokens(client)["id_token"])["sub"] for client in ("rp-test", pairwise.id)]
    assert subjects[0] == driver.account.subject != subjects[1]


@pytest.mark.parametrize("what", ["id_token", "userinfo"])
def test_algorithms_of_signatures(driver, document, what):
    said = document[f"{what}_signing_alg_values_supported"]
    for algorithm in ALGORITHMS:
        try:
            client = driver.add_client(**{f"{what}_alg": algorithm})
        except InvalidInput:
            assert algorithm not in said
            continue
        tokens = driver.tokens(client.id)
        signed = tokens["id_token"] if what == "id_token" else driver.userinfo(tokens["access_token"]).text
        assert header_of(signed)["alg"] == algorithm
        assert algorithm in said


def test_algorithms_of_assertions(driver, document):
    said = document["token_endpoint_auth_signing_alg_values_supported"]
    for endpoint in ("revocation", "introspection"):
        assert document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == said
    keys = {"ES256": identity_driver.CLIENT_KEY, "RS256": identity_driver.RSA_KEY, "PS256": identity_driver.RSA_KEY}
    for algorithm, key in keys.items():
        client = driver.add_signing_client(key).id
        reply = driver.by_assertion("revoke", driver.assertion(client, key, {"alg": algorithm}), token="none")
        assert (reply.status == 200) == (algorithm in said), algorithm


def test_the_keys_are_those_of_the_algorithms(driver, document):
    keys = driver.call("jwks", "", "GET").json["keys"]
    assert {key["alg"] for key in keys} == set(document["id_token_signing_alg_values_supported"])


def test_languages_are_those_of_the_pages(document):
    assert sorted(document["ui_locales_supported"]) == sorted(LANGUAGES)
