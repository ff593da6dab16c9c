"""Pushed authorization requests (RFC 9126): checked at the push, opened once, by the client that pushed them."""

from __future__ import annotations

import pytest

from services.identity.oauth.pushed_requests import LIFETIME, PREFIX, SIGN_IN_TIME
from tests.integration import identity_driver
from tests.integration.identity_driver import BASE, REDIRECTS, VERIFIER, login_page, race, returned
from tests.proofs import make_key, make_proof


def used_up(page):
    return (page["page"], page["error"]) == ("error", "invalid_request_uri")


def test_a_client_gets_a_reference_that_is_good_for_a_minute_or_so(signed_in):
    reply = signed_in.push("web")
    assert (reply.status, reply.headers["Cache-Control"]) == (201, "no-store")
    assert reply.json["request_uri"].startswith(PREFIX)
    assert 60 <= reply.json["expires_in"] <= 90


def test_a_reference_stands_for_the_request(signed_in):
    answered = returned(signed_in.open(signed_in.pushed_url("web")))
    assert answered["state"] == "s t&ate"
    assert signed_in.exchange("web", answered["code"]).status == 200


@pytest.mark.parametrize("client", ["app", "rp-test"])
def test_every_client_may_push(signed_in, client):
    url = signed_in.pushed_url(client, response_mode="form_post")
    assert returned(signed_in.open(url, decision="allow"))["code"]


def test_what_stands_beside_the_reference_counts_for_nothing(signed_in):
    url = signed_in.pushed_url("rp-test", scope="openid")
    page = signed_in.open(url + "&scope=openid+cases&redirect_uri=https://evil.example/&prompt=none&state=other")
    assert (page["page"], page["scopes"]) == ("consent", ["openid"])


# One use, by whom it was given, and soon


def test_a_reference_is_used_once(signed_in):
    url = signed_in.pushed_url("web")
    assert "code" in returned(signed_in.open(url))
    assert used_up(signed_in.open(url))


@pytest.mark.parametrize("decision", [None, "deny"])
def test_an_error_uses_it_up_too(signed_in, decision):
    url = signed_in.pushed_url("rp-test", **({} if decision else {"prompt": "none"}))
    assert "error" in returned(signed_in.open(url, decision))
    assert used_up(signed_in.open(url))


def test_of_two_at_once_one_is_answered(signed_in):
    for _ in range(5):
        url = signed_in.pushed_url("web")
        pages = race(*(lambda url=url: signed_in.open(url) for _ in range(3)))
        assert sorted(page["page"] for page in pages) == ["error", "error", "redirect"]


def test_a_reference_is_of_no_use_to_another_client(signed_in):
    url = signed_in.pushed_url("web")
    for other in ("app", "rp-test", "nobody", ""):
        assert used_up(signed_in.open(url.replace("client_id=web", f"client_id={other}")))
    assert "code" in returned(signed_in.open(url))


@pytest.mark.parametrize("reference", ["", "x", "x" * 43, "\0"])
def test_nobody_guesses_a_reference(signed_in, reference):
    page = signed_in.authorize("web", request_uri=PREFIX + reference)
    assert page["page"] == "error"


def test_a_reference_that_nobody_opens_ends(signed_in):
    url = signed_in.pushed_url("web")
    signed_in.after(seconds=LIFETIME.total_seconds())
    assert used_up(signed_in.open(url))


def test_a_person_has_time_to_sign_in(driver):
    url = driver.pushed_url("rp-test", prompt="login", login_hint="citizen")
    assert driver.open(url) == login_page("rp-test") | {"login_hint": "citizen"}
    driver.after(seconds=SIGN_IN_TIME.total_seconds() - 1)
    driver.sign_in(driver.register(), request=url)
    assert driver.open(url)["page"] == "consent"
    assert "code" in returned(driver.open(url, decision="allow"))


def test_but_not_for_ever(driver):
    url = driver.pushed_url("web")
    assert driver.open(url) == login_page("web")
    driver.after(seconds=SIGN_IN_TIME.total_seconds())
    assert used_up(driver.open(url))


# All that the authorization endpoint would refuse is refused at the push


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"scope": "root"}, "invalid_scope"),
        ({"scope": "openid contacts"}, "invalid_scope"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"resource": "urn:other"}, "invalid_target"),
        ({"request": "e30."}, "request_not_supported"),
        ({"request_uri": PREFIX + "x"}, "invalid_request"),
        ({"client_id": "app"}, "invalid_request"),
        ({"state": "x" * 16_000}, "invalid_request"),
        ({"state": "\0"}, "invalid_request"),
    ],
)
def test_a_fault_is_told_to_the_client_that_pushes(signed_in, changes, error):
    reply = signed_in.push("rp-test", **changes)
    assert (reply.status, reply.json["error"]) == (400, error)
    assert not {"Location", "state"} & (reply.headers.keys() | reply.json.keys())


def test_a_code_may_be_bound_to_a_key_at_the_push(signed_in):
    key, other = make_key(), make_key()
    form, now = signed_in.parameters("app"), signed_in.now.timestamp()

    def push(proof_key, **more):
        proof = make_proof(proof_key, "POST", f"{BASE}/oauth/par", now=now)
        return signed_in.call("par", form | more, dpop=proof)

    url = f"{BASE}/oauth/authorize?client_id=app&request_uri={push(key).json['request_uri']}"
    code = returned(signed_in.open(url))["code"]
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECTS["app"], "client_id": "app"}
    proof = make_proof(other, "POST", f"{BASE}/oauth/token", now=now)
    assert signed_in.call("token", asked | {"code_verifier": VERIFIER}, dpop=proof).status == 400
    refused = push(key, dpop_jkt=other.thumbprint())
    assert (refused.status, refused.json["error"]) == (400, "invalid_dpop_proof")
    assert push(key, dpop_jkt=key.thumbprint()).status == 201


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_who_does_not_prove_to_be_the_client_pushes_nothing(signed_in, secret):
    form = signed_in.parameters("web") | {"client_secret": secret}
    reply = signed_in.call("par", form)
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")


def test_a_secret_is_not_kept_with_the_request(signed_in, seeded):
    form = signed_in.parameters("web") | {"client_secret": identity_driver.SECRETS["web"]}
    reply = signed_in.call("par", form)
    url = f"{BASE}/oauth/authorize?client_id=web&request_uri={reply.json['request_uri']}"
    with seeded.transaction() as transaction:
        kept = transaction.exec_driver_sql("SELECT string_agg(parameters, ' ') FROM pushed_requests").scalar()
    assert identity_driver.SECRETS["web"] not in kept
    assert "code" in returned(signed_in.open(url))


# Clients that must push


def test_who_says_that_it_pushes_gets_nothing_without(signed_in):
    client = signed_in.add_client(require_par=True).id
    assert signed_in.refused(client)["error"] == "invalid_request"
    assert signed_in.refused(client, prompt="none")["error"] == "invalid_request"
    url = signed_in.pushed_url(client)
    assert signed_in.open(url)["page"] == "consent"
    assert "code" in returned(signed_in.open(url, decision="allow"))
