"""A whole platform and its tokens: bound to a key, of a client that knows people by its own names, under new keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jws
from sqlalchemy import text

from chassis.database import Database
from cli.oidc import Client, authorize, sign_in
from deploy.local.platform import Platform
from tests.people import APP, People
from tests.processes import wait_until
from tests.proofs import make_key, make_proof

CASES = "/api/v1/cases"


@pytest.fixture(scope="module")
def base(platform: Platform) -> str:
    return platform.environment["ONEHALL_BASE_URL"]


def bound_tokens(base: str, key: Any) -> Any:
    """The citizen's, by the app, which proves its key."""
    verifier = generate_token(48)
    query = {
        "client_id": APP.client_id,
        "response_type": "code",
        "redirect_uri": APP.redirect_uri,
        "scope": APP.scope,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
        "dpop_jkt": key.thumbprint(),
    }
    with httpx2.Client() as browser:
        url = str(httpx2.URL(f"{base}/oauth/authorize", params=query))
        location = authorize(browser, url, APP.redirect_uri, "citizen", "onehall-demo")
    form = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(location).query)["code"][0]}
    form |= {"redirect_uri": APP.redirect_uri, "code_verifier": verifier, "client_id": APP.client_id}
    proof = make_proof(key, "POST", f"{base}/oauth/token")
    return httpx2.post(f"{base}/oauth/token", data=form, headers={"DPoP": proof}).raise_for_status().json()


def test_a_bound_token_opens_the_api_with_a_new_proof_each_time(base: str) -> None:
    key = make_key()
    tokens = bound_tokens(base, key)
    assert tokens["token_type"] == "DPoP"
    token = tokens["access_token"]

    def ask(proof: str, scheme: str = "DPoP") -> int:
        return httpx2.get(base + CASES, headers={"Authorization": f"{scheme} {token}", "DPoP": proof}).status_code

    first, second = (make_proof(key, "GET", base + CASES, access_token=token) for _ in range(2))
    assert [ask(first), ask(second), ask(first), ask(second)] == [200, 200, 401, 401]
    assert ask(make_proof(make_key(), "GET", base + CASES, access_token=token)) == 401
    assert httpx2.get(base + CASES, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_pairwise_client_acts_for_a_person_whose_name_it_does_not_learn(
    base: str, onehall: Callable[..., str], people: People
) -> None:
    client = Client(f"rp-{uuid.uuid4().hex[:8]}", "https://clinic.example/callback", "a-secret", "openid cases")
    onehall(
        *("client", "add", client.client_id, "--secret", "a-secret", "--redirect-uri", client.redirect_uri),
        *("--scope", client.scope, "--subject-type", "pairwise"),
    )
    number = people.file().raise_for_status().json()["number"]
    own = jws.extract_compact(people.sign_in("citizen").token["access_token"].encode()).payload
    session = sign_in(base, client, "citizen", "onehall-demo")
    try:
        assert session.get(f"{CASES}/{number}").status_code == httpx2.codes.OK
        theirs = jws.extract_compact(session.token["access_token"].encode()).payload
    finally:
        session.close()
    subject = httpx2.Response(200, content=own).json()["sub"]
    assert subject.encode() not in theirs


def test_a_new_signing_key_is_known_at_its_first_token(
    base: str, platform: Platform, onehall: Callable[..., str], people: People
) -> None:
    """Also if nobody was told in time, as after the loss of a key."""
    old = people.sign_in("citizen")
    assert old.get(CASES).status_code == httpx2.codes.OK
    assert onehall("key", "rotate").count("signs from") == 2
    database = Database(platform.environment["ONEHALL_IDENTITY_DATABASE_URL"], pool_size=1)
    with database.transaction() as transaction:
        transaction.execute(text("UPDATE signing_keys SET current_from = now() WHERE current_from > now()"))
    database.dispose()
    new = sign_in(base, APP, "citizen2", "onehall-demo")
    try:
        wait_until("the gateway has asked for the new key", lambda: new.get(CASES).status_code == httpx2.codes.OK)
    finally:
        new.close()
    assert old.get(CASES).status_code == httpx2.codes.OK, "and the old one still verifies"
