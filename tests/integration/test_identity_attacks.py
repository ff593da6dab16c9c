"""Attacks on the provider that no other file of tests is about. docs/security.md lists them all, with their tests."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import event

from chassis import context
from services.identity.codes import commands as codes
from services.identity.codes.domain import Recipient
from services.identity.codes.secrecy import CodeKeys
from services.identity.limits import store
from services.identity.limits.domain import PROTOCOL_ADDRESS
from services.identity.limits.guard import LimitKeys
from tests.integration.identity_driver import (
    BASE,
    CHALLENGE,
    COOKIE_KEY,
    REDIRECTS,
    VERIFIER,
    returned,
)


def error_of(reply: Any) -> str:
    assert 400 <= reply.status < 500
    return str(reply.json["error"])


# PKCE downgrade (RFC 7636, RFC 9700 section 2.1.1): the challenge is in the address, where others may read it


@pytest.mark.parametrize(
    "form",
    [
        {"code_verifier": CHALLENGE},
        {"code_verifier": CHALLENGE, "code_challenge_method": "plain"},
        {"code_verifier": CHALLENGE, "code_challenge": CHALLENGE, "code_challenge_method": "plain"},
    ],
)
@pytest.mark.parametrize("client", ["web", "app"])
def test_the_challenge_is_no_verifier(signed_in, client, form):
    assert error_of(signed_in.exchange(client, signed_in.code(client), **form)) == "invalid_grant"


@pytest.mark.parametrize("client", ["web", "app", "rp-test"])
def test_no_code_is_redeemed_without_a_verifier(signed_in, client):
    form = {"code": signed_in.code(client), "redirect_uri": REDIRECTS[client]}
    reply = signed_in.as_client(client, "token", grant_type="authorization_code", **form)
    assert error_of(reply) == "invalid_request"


def test_a_code_that_was_put_into_anothers_sign_in_gives_nothing(signed_in):
    """Code injection: the victim's client comes with the verifier of its own request."""
    stolen = signed_in.code("app")
    assert error_of(signed_in.exchange("app", stolen, code_verifier="v" * 42 + "w")) == "invalid_grant"
    # and whoever stole it has no verifier; it is spent now in any case
    assert error_of(signed_in.exchange("app", stolen, code_verifier=VERIFIER)) == "invalid_grant"


# What was pushed cannot be changed on its way through the browser (RFC 9126, section 7)


@pytest.mark.parametrize(
    "beside",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"code_challenge": "A" * 43, "code_challenge_method": "plain"},
        {"scope": "openid profile email offline_access cases"},
        {"response_mode": "form_post"},
        {"state": "planted"},
    ],
)
def test_parameters_beside_a_pushed_request_are_not_read(signed_in, beside):
    url = signed_in.pushed_url("web", scope="openid", state="own")
    page = signed_in.open(url + "".join(f"&{name}={value}" for name, value in beside.items()))
    assert page["page"] == "redirect"
    assert page["location"].startswith(f"{REDIRECTS['web']}?")
    answered = returned(page)
    assert answered["state"] == "own"
    reply = signed_in.exchange("web", answered["code"])
    assert (reply.status, reply.json["scope"]) == (200, "openid")


@pytest.mark.parametrize(
    "trick",
    ["{0}.evil.example", "{0}/", "{0}#a", "http://user@127.0.0.1:9555/callback", "http://127.0.0.1:9555/CALLBACK"],
)
def test_a_redirect_uri_is_taken_to_the_letter_when_it_is_pushed_too(signed_in, trick):
    reply = signed_in.push("rp-test", redirect_uri=trick.format(REDIRECTS["rp-test"]))
    assert reply.status == 400
    assert "request_uri" not in reply.json


@pytest.mark.parametrize(
    "trick", ["{0}/", "{0}?a=b", "{0}.evil.example", "http://127.0.0.1:9555/CALLBACK", "http://127.0.0.1:9556/callback"]
)
def test_a_code_is_redeemed_with_the_very_address_that_it_went_to(signed_in, trick):
    uri = trick.format(REDIRECTS["rp-test"])
    assert error_of(signed_in.exchange("rp-test", signed_in.code("rp-test"), redirect_uri=uri)) == "invalid_grant"


# Mix-up (RFC 9207): every answer says whose it is, errors too, in both ways of giving it


@pytest.mark.parametrize("mode", ["query", "form_post"])
@pytest.mark.parametrize("changes", [{}, {"scope": "openid contacts"}, {"prompt": "none", "max_age": "0"}])
def test_every_answer_names_its_issuer(signed_in, mode, changes):
    page = signed_in.authorize("web", response_mode=mode, **changes)
    fields = dict(page["fields"]) if mode == "form_post" else parse_qs(urlsplit(page["location"]).query)
    assert fields["iss"] in (BASE, [BASE])


@pytest.mark.parametrize("changes", [{}, {"scope": "openid"}, {"response_mode": "form_post"}])
def test_a_link_to_us_alone_takes_nobody_to_a_client(driver, changes):
    """Open redirect: who is not signed in sees our own page first."""
    assert driver.authorize("rp-test", **changes)["page"] == "login"


# Guessing at the token endpoint


@pytest.mark.parametrize(
    "form",
    [
        {
            "grant_type": "authorization_code",
            "code": "guess",
            "redirect_uri": REDIRECTS["app"],
            "code_verifier": VERIFIER,
        },
        {"grant_type": "refresh_token", "refresh_token": "guess"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "guess"},
    ],
    ids=["codes", "refresh tokens", "device codes"],
)
def test_an_address_that_guesses_is_stopped(driver, form):
    keys = driver.limit_keys = LimitKeys(COOKIE_KEY)
    token = context.address.set(f"2001:db8::{secrets.token_hex(2)}:0:0:0:1")
    try:
        client = "kiosk" if "device_code" in form else "app"
        assert driver.as_client(client, "token", **form).status == 400
        buckets = keys.of_address(PROTOCOL_ADDRESS)
        with driver.database.transaction() as session:
            while not store.take(session, buckets, driver.now):
                pass
        stopped = driver.as_client(client, "token", **form)
        assert (stopped.status, stopped.headers["Retry-After"]) == (429, "1")
    finally:
        context.address.reset(token)


# Enumeration: what is said and what is done for somebody and for nobody


def test_asking_for_a_code_is_the_same_work_for_somebody_and_nobody(driver):
    keys, work = CodeKeys(COOKIE_KEY), []

    def note(connection, cursor, statement, *rest):
        work.append(statement)

    def ask(kind):
        work.clear()
        with driver.database.transaction() as session:
            event.listen(session, "before_cursor_execute", note)
            challenge = codes.issue_code(session, keys, Recipient(secrets.token_hex(8), kind), "test", driver.now)
            event.remove(session, "before_cursor_execute", note)
        return len(challenge), list(work)

    length, done = ask(None)
    told_length, told_done = ask("mail")
    assert length == told_length
    # but for the event, which is one insert
    assert [each for each in told_done if "outbox" not in each] == done
    assert len(told_done) - len(done) == 1
