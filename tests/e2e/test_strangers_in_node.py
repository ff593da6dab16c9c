"""Relying parties in Node: `openid-client` and `oauth4webapi`, which register, sign people in and check our answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx2
import pytest

from cli.demo import PASSWORD, SECRET
from cli.oidc import ACCESS_TOKEN, Client, sign_in
from services.identity.demo import PARTICULARS
from services.identity.domain import SIGNING_ALGORITHMS
from tests.strangers import REDIRECT_URI, Person, play

Play = Callable[..., Any]


@pytest.fixture
def given(issuer: str, registration_token: str, person: Person) -> Play:
    def run(program: str, scenario: str, **more: Any) -> Any:
        facts = {"issuer": issuer, "registrationToken": registration_token, "redirectUri": REDIRECT_URI} | more
        return play(program, person.open, scenario=scenario, **facts)

    return run


def test_openid_client_registers_signs_in_refreshes_and_revokes(given: Play, issuer: str) -> None:
    said = given("openid_client", "registersAndSignsIn")
    assert said["iss"] == said["claims"]["iss"] == issuer
    assert said["person"]["email"] == "citizen@example.org"
    assert said["person"]["sub"] == said["claims"]["sub"]
    assert said["isRotated"]
    assert said["active"]["active"]
    assert said["active"]["sub"] == said["claims"]["sub"]
    assert said["afterRevocation"] == "invalid_grant"


@pytest.mark.parametrize("algorithm", SIGNING_ALGORITHMS)
def test_openid_client_signs_out_and_hears_of_it(
    issuer: str, registration_token: str, person: Person, algorithm: str
) -> None:
    def go(url: str) -> str:
        is_sign_out = url.startswith(f"{issuer}/oauth/logout")
        return str(person.browser.get(url).headers["Location"]) if is_sign_out else person.open(url)

    facts = {"issuer": issuer, "registrationToken": registration_token, "redirectUri": REDIRECT_URI}
    said = play("openid_client", go, **facts, scenario="signsOut", algorithm=algorithm)
    assert said["returned"] == f"{REDIRECT_URI}/out?state=s"
    assert said["payload"]["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert {name: said["payload"][name] for name in ("sub", "sid")} == {
        name: said["claims"][name] for name in ("sub", "sid")
    }
    assert "nonce" not in said["payload"]


@pytest.mark.parametrize("algorithm", SIGNING_ALGORITHMS)
def test_openid_client_pushes_signs_and_binds(given: Play, issuer: str, algorithm: str) -> None:
    said = given("openid_client", "pushesSignsAndBinds", algorithm=algorithm)
    assert said["iss"] == issuer
    assert said["person"]["sub"] == said["subject"]
    assert said["tokenType"] == said["renewedTokenType"] == "dpop"
    assert said["cases"] == 200
    assert "CHALLENGE" in said["withoutProof"]


def test_openid_client_signs_in_as_an_app_on_any_port(given: Play) -> None:
    said = given("openid_client", "signsInAsApp")
    assert said["subject"]
    assert said["isRotated"]


def test_openid_client_understands_that_nobody_is_signed_in(given: Play, issuer: str, person: Person) -> None:
    # nobody is: the browser is new, and is sent back at once
    facts = {"issuer": issuer, "redirectUri": REDIRECT_URI, "scenario": "isToldNo"}
    said = play("openid_client", lambda url: str(person.browser.get(url).headers["Location"]), **facts)
    assert said == "login_required"


def test_openid_client_works_for_a_department(given: Play) -> None:
    said = given("openid_client", "worksForADepartment", clientId="dept-civil-affairs", clientSecret=SECRET)
    assert said == {"status": 200, "active": True, "clientId": "dept-civil-affairs", "hasRefreshToken": False}


def test_openid_client_waits_until_a_phone_allows_it(issuer: str, person: Person) -> None:
    def allow(asked: dict[str, Any]) -> None:
        query = {"client_id": "app", "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "openid"}
        challenge = {"code_challenge": "a" * 43, "code_challenge_method": "S256"}
        person.open(str(httpx2.URL(f"{issuer}/oauth/authorize", params=query | challenge)))
        page = person.browser.get(asked["verification_uri_complete"])
        assert asked["user_code"] in page.text
        form = {"user_code": asked["user_code"], "decision": "allow"}
        person.browser.post(asked["verification_uri"], data=form).raise_for_status()

    said = play("openid_client", person.open, allow, issuer=issuer, scenario="waitsForAPhone", interval=0.2)
    assert said["person"]["preferred_username"] == "citizen"
    assert said["again"] == "invalid_grant"


def test_openid_client_exchanges_tokens_at_the_counter(given: Play, issuer: str) -> None:
    clerk = sign_in(issuer, Client("hall", f"{issuer}/hall/callback", SECRET), "clerk", PASSWORD)
    with closing(clerk):
        proof = clerk.post("/api/v1/presence", json={"id_number": PARTICULARS["citizen"].id_number})
        said = given(
            *("openid_client", "actsForSomebody"),
            clientSecret=SECRET,
            presenceToken=proof.raise_for_status().json()["presence_token"],
            actorToken=clerk.token["access_token"],
        )
    assert said["active"]
    assert said["channel"] == "hall"
    assert said["act"]["sub"] != said["sub"]
    assert said["refused"] == said["again"] == "invalid_request"
    assert said["issuedTokenType"] == ACCESS_TOKEN


def test_oauth4webapi_finds_no_departure_from_the_standards(given: Play) -> None:
    said = given("oauth4webapi", "holdsUsToTheStandards")
    assert said["person"]["sub"] == said["believed"]["sub"] == said["claims"]["sub"]
    assert said["claims"]["auth_time"]
    assert "cases" in said["believed"]["scope"].split()
    assert said["introspected"]
    assert said["replayed"] == "invalid_grant"


def test_oauth4webapi_discovers_by_rfc_8414_and_proves_its_key(given: Play) -> None:
    said = given("oauth4webapi", "bindsWhatItPushes")
    assert said["tokenType"] == "dpop"
    assert said["believed"]["jkt"] == said["thumbprint"]
