"""Signing out at a client's wish (OpenID Connect RP-Initiated Logout 1.0), and how that may be abused."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from services.identity import commands
from services.identity.oauth.end_session import PARAMETERS, SIGN_OUT, STAY, answer_end_session
from services.identity.oauth.server import Provider
from tests.integration.identity_driver import BASE, claims_of, header_of

BACK = "https://rp.example/signed-out"


@pytest.fixture
def driver(signed_in):
    return signed_in


@pytest.fixture
def client(driver):
    return driver.add_client(post_logout_uris=(BACK, "https://rp.example/other?a=b")).id


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def hint_of(driver, client, **changes):
    return driver.tokens(client, **changes)["id_token"]


def is_signed_in(driver):
    return "code=" in driver.authorize("web", prompt="none")["location"]


def test_a_client_that_shows_the_sessions_token_signs_the_person_out_and_has_them_back(driver, client):
    page = driver.end_session(id_token_hint=hint_of(driver, client), post_logout_redirect_uri=BACK, state="a &b")
    assert (page["page"], page["location"]) == ("redirect", f"{BACK}?state=a+%26b")
    assert not is_signed_in(driver)


def test_an_address_with_a_query_of_its_own_keeps_it(driver, client):
    uri = "https://rp.example/other?a=b"
    page = driver.end_session(id_token_hint=hint_of(driver, client), post_logout_redirect_uri=uri, state="s")
    assert page["location"] == f"{uri}&state=s"


def test_without_an_address_the_person_stays_here(driver, client):
    page = driver.end_session(id_token_hint=hint_of(driver, client), client_id=client)
    assert (page["page"], page["location"]) == ("signed-out", None)
    assert not is_signed_in(driver)


def test_an_expired_token_names_the_session_all_the_same(driver, client):
    hint = hint_of(driver, client)
    driver.after(minutes=59)
    assert driver.end_session(id_token_hint=hint)["page"] == "signed-out"
    assert not is_signed_in(driver)


def test_a_token_of_before_the_person_signed_in_again_is_of_the_same_session(driver, client):
    hint = hint_of(driver, client)
    driver.sign_in(driver.account)
    assert driver.end_session(id_token_hint=hint)["page"] == "signed-out"


def test_a_client_with_pairwise_subjects_signs_out_too(driver):
    client = driver.add_client(subject_type="pairwise", post_logout_uris=(BACK,)).id
    page = driver.end_session(id_token_hint=hint_of(driver, client), post_logout_redirect_uri=BACK)
    assert page["page"] == "redirect"
    assert not is_signed_in(driver)


def test_languages_are_handed_on(driver, client):
    assert driver.end_session(client_id=client, ui_locales="en zh")["ui_locales"] == "en zh"


# Nobody is signed out by somebody else


def test_without_a_token_the_person_is_asked(driver, client):
    asked = {"client_id": client, "post_logout_redirect_uri": BACK, "state": "s", "logout_hint": "x"}
    page = driver.end_session(**asked)
    assert (page["page"], page["username"]) == ("confirm", driver.account.username)
    assert dict(page["fields"]) == asked
    assert set(asked) < set(PARAMETERS)
    assert is_signed_in(driver)
    assert driver.end_session(STAY, **asked)["page"] == "stayed"
    assert is_signed_in(driver)
    assert driver.end_session(SIGN_OUT, **asked)["location"] == f"{BACK}?state=s"
    assert not is_signed_in(driver)


def test_a_bare_request_asks_too(driver):
    assert driver.end_session()["page"] == "confirm"
    assert is_signed_in(driver)


@pytest.mark.parametrize("decision", ["", "allow", "SIGN-OUT", "1"])
def test_only_the_one_word_is_a_decision(driver, client, decision):
    assert driver.end_session(decision, client_id=client)["page"] == "confirm"
    assert is_signed_in(driver)


def test_a_token_of_somebody_else_signs_nobody_out(driver, client):
    """The attacker's own, which is as genuine as any."""
    mine, account = driver.session, driver.account
    driver.session = None
    driver.sign_in(driver.register())
    hint = hint_of(driver, client)
    driver.session, driver.account = mine, account
    assert driver.end_session(id_token_hint=hint, post_logout_redirect_uri=BACK)["page"] == "confirm"
    assert is_signed_in(driver)


def test_a_token_of_another_session_of_the_same_person_asks(driver, client):
    hint = hint_of(driver, client)
    driver.session = None
    driver.sign_in(driver.account)
    assert driver.end_session(id_token_hint=hint)["page"] == "confirm"
    assert is_signed_in(driver)


@pytest.mark.parametrize("name", ["foreign key", "unsigned", "altered", "access token", "no token", "other issuer"])
def test_what_is_no_token_of_ours_is_an_error_and_changes_nothing(driver, client, name):
    tokens = driver.tokens(client)
    head, claims = header_of(tokens["id_token"]), claims_of(tokens["id_token"])
    stranger = ECKey.generate_key("P-256")
    hints = {
        "foreign key": jwt.encode(head, claims, stranger),
        "unsigned": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims)}.",
        "altered": f"{tokens['id_token'][:-4]}AAAA",
        "access token": tokens["access_token"],
        "no token": "x",
        "other issuer": jwt.encode(head, claims | {"iss": "https://evil.example"}, stranger),
    }
    page = driver.end_session(id_token_hint=hints[name], post_logout_redirect_uri=BACK, client_id=client)
    assert (page["page"], page["error"]) == ("error", "invalid_request")
    assert "location" not in page
    assert is_signed_in(driver)


def test_a_token_of_another_client_is_an_error(driver, client):
    hint = hint_of(driver, "rp-test")
    page = driver.end_session(id_token_hint=hint, client_id=client, post_logout_redirect_uri=BACK)
    assert page["page"] == "error"
    # nor does it lead to the other client's address
    assert driver.end_session(id_token_hint=hint, post_logout_redirect_uri=BACK)["page"] == "error"
    assert is_signed_in(driver)


def test_a_parameter_that_is_repeated_is_an_error(driver, client):
    encoded = f"client_id={client}&post_logout_redirect_uri={BACK}&post_logout_redirect_uri=https://evil.example/"
    assert raw(driver, encoded)["page"] == "error"


def raw(driver, encoded):
    with driver.database.transaction() as transaction:
        provider = Provider(transaction, driver.issuer(transaction), driver.now)
        return answer_end_session(provider, encoded, driver.session, None)


# Nobody is led astray


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        f"{BACK}/more",
        f"{BACK}?x=y",
        f"{BACK}#x",
        BACK.upper(),
        BACK.replace("https", "http"),
        "https://rp.example@evil.example/signed-out",
        "https://rp.example.evil.example/signed-out",
        "https://rp.example/callback",
        "//rp.example/signed-out",
        "javascript:alert(1)",
        "data:text/html,x",
        "/cases",
        f"{BACK}\n",
        f" {BACK}",
    ],
)
@pytest.mark.parametrize("decision", [None, SIGN_OUT])
def test_the_address_is_one_that_was_registered_to_the_letter(driver, client, uri, decision):
    page = driver.end_session(
        decision, id_token_hint=hint_of(driver, client), post_logout_redirect_uri=uri, client_id=client
    )
    assert page["page"] == "error"
    assert "location" not in page
    assert is_signed_in(driver)


def test_an_address_without_a_client_is_an_error(driver):
    assert driver.end_session(post_logout_redirect_uri=BACK)["page"] == "error"


@pytest.mark.parametrize("client_id", ["nobody", "\x00"])
def test_an_unknown_client_is_an_error(driver, client_id):
    assert driver.end_session(client_id=client_id)["page"] == "error"


def test_who_is_not_signed_in_goes_on_by_a_link_unless_the_client_is_proved(driver, client):
    hint = hint_of(driver, client)
    driver.session = None
    named = driver.end_session(client_id=client, post_logout_redirect_uri=BACK)
    assert (named["page"], named["location"]) == ("signed-out", BACK)
    assert driver.end_session(id_token_hint=hint, post_logout_redirect_uri=BACK)["page"] == "redirect"


def test_a_client_that_is_gone_leads_nowhere(driver, client):
    hint = hint_of(driver, client)
    with driver.database.transaction() as transaction:
        commands.disable_client(transaction, client)
    assert driver.end_session(id_token_hint=hint, post_logout_redirect_uri=BACK)["page"] == "error"
    assert is_signed_in(driver)


def test_a_session_that_ran_out_is_one_of_nobody(driver, client):
    hint = hint_of(driver, client)
    driver.now += timedelta(hours=2)
    page = driver.end_session(id_token_hint=hint, post_logout_redirect_uri=BACK)
    assert (page["page"], page["location"]) == ("redirect", BACK)


def test_discovery_names_the_endpoint(driver):
    assert driver.call("configuration", "", "GET").json["end_session_endpoint"] == f"{BASE}/oauth/logout"
