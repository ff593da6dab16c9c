"""Relying parties in Node: `openid-client` and `oauth4webapi`, which register, sign people in and check our answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cli.demo import SECRET
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
