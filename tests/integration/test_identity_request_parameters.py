"""What a client may say in an authorization request about the person, the pages, the claims and the way back."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from services.identity.oauth.response_modes import MAX_HINT
from services.identity.persons.store import raise_level
from services.identity.tables import browser_sessions
from tests.integration.identity_driver import BASE, REDIRECTS, claims_of, login_page, mail_of, returned


def asking(**places):
    return {"claims": json.dumps(places)}


# Hints for the pages


def test_the_pages_learn_the_name_to_begin_with_and_the_languages(driver):
    hints = {"login_hint": "citizen", "ui_locales": "fr zh-Hant en"}
    assert driver.authorize("rp-test", **hints) == login_page("rp-test") | hints
    driver.sign_in(driver.register())
    assert driver.authorize("rp-test", **hints).items() >= (hints | {"page": "consent"}).items()


def test_a_hint_that_is_too_long_is_no_hint(driver):
    assert driver.authorize("web", login_hint="x" * (MAX_HINT + 1)) == login_page("web")


def test_the_language_that_a_page_is_read_in_makes_no_other_request_of_it(driver):
    url = driver.url("rp-test", prompt="login")
    driver.sign_in(driver.register(), request=url)
    assert driver.open(f"{url}&lang=en")["page"] == "consent"


# Claims


def test_claims_are_given_by_name_where_they_were_asked_for(signed_in):
    asked = asking(userinfo={"email": None, "name": {"essential": True}}, id_token={"locale": None, "nobody": None})
    tokens = signed_in.tokens("rp-test", scope="openid", **asked)
    told, stated = signed_in.userinfo(tokens["access_token"]).json, claims_of(tokens["id_token"])
    assert told == {
        "sub": signed_in.account.subject,
        "email": mail_of(signed_in.account),
        "name": signed_in.account.name,
    }
    assert stated["locale"] == signed_in.account.locale
    assert not {"email", "name", "nobody"} & stated.keys()


def test_claims_by_name_outlive_a_refresh(signed_in):
    asked = asking(userinfo={"email": None}, id_token={"name": None})
    tokens = signed_in.tokens("rp-test", scope="openid offline_access", **asked)
    refreshed = signed_in.refresh("rp-test", tokens["refresh_token"]).json
    assert signed_in.userinfo(refreshed["access_token"]).json["email"] == mail_of(signed_in.account)
    assert claims_of(refreshed["id_token"])["name"] == signed_in.account.name


def test_a_person_agrees_to_claims_as_to_scopes(signed_in):
    page = signed_in.authorize("rp-test", scope="openid", **asking(userinfo={"email": None}))
    assert (page["page"], page["scopes"]) == ("consent", ["openid", "email"])
    signed_in.code("rp-test", scope="openid")
    assert signed_in.authorize("rp-test", scope="openid", **asking(userinfo={"email": None}))["page"] == "consent"
    signed_in.code("rp-test", scope="openid email")
    answered = returned(signed_in.authorize("rp-test", scope="openid", **asking(userinfo={"email": None})))
    assert "code" in answered


def test_a_client_gets_no_claim_whose_scope_it_may_not_have(signed_in):
    asked = asking(userinfo={"email": None}, id_token={"email": {"essential": True}})
    client = signed_in.add_client(scopes=("openid",)).id
    page = signed_in.authorize(client, scope="openid", **asked)
    assert page["scopes"] == ["openid"]
    tokens = signed_in.tokens(client, scope="openid", **asked)
    assert signed_in.userinfo(tokens["access_token"]).json == {"sub": signed_in.account.subject}
    assert "email" not in claims_of(tokens["id_token"])


@pytest.mark.parametrize(
    "claims",
    [
        "[]",
        "{",
        '"email"',
        '{"userinfo": []}',
        '{"userinfo": {"email": 1}}',
        '{"id_token": {"acr": {"values": "1"}}}',
        '{"id_token": {"acr": {"values": [1]}}}',
        '{"id_token": {"sub": {"value": "\\u0000"}}}',
        '{"id_token": {"sub": {"value": "\\ud800"}}}',
        '{"id_token": {"sub": {"values": ["a", "b"]}}}',
        "[" * 3_000,
        '{"userinfo": {"email": null}, "a": "' + "x" * 4_000 + '"}',
    ],
)
def test_claims_that_cannot_be_read_are_told_to_the_client(signed_in, claims):
    assert signed_in.refused("rp-test", claims=claims)["error"] == "invalid_request"


def test_auth_time_is_stated_whether_it_was_asked_for_or_not(signed_in):
    for asked in (asking(id_token={"auth_time": {"essential": True}}), {"max_age": "600"}, {}):
        stated = claims_of(signed_in.tokens("rp-test", **asked)["id_token"])
        assert stated["auth_time"] == int(signed_in.now.timestamp())


# Assurance


@pytest.mark.parametrize(
    ("asked", "stated"),
    [
        ({"acr_values": "1"}, "1"),
        ({"acr_values": "9 1"}, "1"),
        ({"acr_values": "9"}, "1"),
        (asking(id_token={"acr": {"values": ["9"]}}), "1"),
        (asking(id_token={"acr": {"essential": True, "values": ["9", "1"]}}), "1"),
        (asking(id_token={"acr": {"essential": True}}), "1"),
    ],
)
def test_the_level_is_stated_as_it_is(signed_in, asked, stated):
    assert claims_of(signed_in.tokens("rp-test", **asked)["id_token"])["acr"] == stated


@pytest.mark.parametrize("level", [{"value": "9"}, {"values": ["9", "urn:mace:gold"]}])
def test_an_essential_level_that_is_not_reached_is_no_sign_in(signed_in, level):
    refused = signed_in.refused("rp-test", **asking(id_token={"acr": {"essential": True} | level}))
    assert refused["error"] == "unmet_authentication_requirements"


def at_level(driver, level, amr=("pwd",)):
    with driver.database.transaction() as transaction:
        raise_level(transaction, driver.account.subject, level, "counter", None, driver.now)
        this = browser_sessions.c.subject == driver.account.subject
        transaction.execute(update(browser_sessions).where(this).values(amr=amr))


ESSENTIAL = asking(id_token={"acr": {"essential": True, "values": ["3", "2"]}})


@pytest.mark.parametrize(
    ("level", "amr", "acr"), [(1, ["pwd"], "1"), (1, ["pwd", "otp", "mfa"], "2"), (2, ["pwd"], "2"), (3, ["mfa"], "3")]
)
def test_the_level_is_of_the_account_and_of_how_they_signed_in(signed_in, level, amr, acr):
    at_level(signed_in, level, amr)
    tokens = signed_in.tokens("web")
    assert claims_of(tokens["id_token"])["acr"] == claims_of(tokens["access_token"])["acr"] == acr
    refreshed = signed_in.refresh("web", tokens["refresh_token"]).json
    assert claims_of(refreshed["access_token"])["acr"] == acr


def test_a_level_that_rises_is_in_the_next_tokens(signed_in):
    tokens = signed_in.tokens("web")
    at_level(signed_in, 3)
    assert claims_of(signed_in.refresh("web", tokens["refresh_token"]).json["access_token"])["acr"] == "3"


def test_who_must_be_surer_is_asked_to_step_up_and_comes_back(signed_in):
    url = signed_in.url("rp-test", **ESSENTIAL)
    page = signed_in.open(url)
    assert (page["page"], page["level"], page["is_required"]) == ("step_up", 2, True)
    assert signed_in.open(url, "skip")["page"] == signed_in.open(url, "allow")["page"] == "step_up"
    at_level(signed_in, 2)
    assert signed_in.open(url)["page"] == "consent"
    assert claims_of(signed_in.tokens("rp-test", **ESSENTIAL)["id_token"])["acr"] == "2"


def test_who_will_not_step_up_is_refused(signed_in):
    refused = returned(signed_in.open(signed_in.url("rp-test", **ESSENTIAL), "deny"))
    assert refused["error"] == "access_denied"


def test_nobody_is_asked_where_nobody_may_be(signed_in):
    assert signed_in.refused("web", prompt="none", **ESSENTIAL)["error"] == "unmet_authentication_requirements"
    assert "code" in returned(signed_in.authorize("web", prompt="none", acr_values="3"))


def test_a_wish_for_a_level_is_asked_once(signed_in):
    url = signed_in.url("rp-test", acr_values="3")
    page = signed_in.open(url)
    assert (page["page"], page["level"], page["is_required"]) == ("step_up", 3, False)
    assert signed_in.open(url, "skip")["page"] == "consent"
    assert "code" in returned(signed_in.open(url, "allow"))


# One person


def test_the_person_whom_the_client_asks_for_signs_in_or_nobody(driver):
    wanted, other = driver.register(), driver.register()
    asked = asking(id_token={"sub": {"value": wanted.subject}})
    driver.sign_in(other)
    assert driver.refused("web", prompt="none", **asked)["error"] == "login_required"
    url = driver.url("web", **asked)
    assert driver.open(url) == login_page("web")
    driver.sign_in(other, request=url)
    assert returned(driver.open(url))["error"] == "login_required"
    driver.sign_in(wanted)
    assert "code" in returned(driver.authorize("web", prompt="none", **asked))


@pytest.mark.parametrize("fields", [{}, {"subject_type": "pairwise", "id_token_alg": "RS256"}])
def test_an_id_token_says_whom_the_client_means(driver, fields):
    wanted, client = driver.register(), driver.add_client(**fields).id
    driver.sign_in(wanted)
    hint = driver.tokens(client)["id_token"]
    # it names somebody, also when it has expired
    driver.after(minutes=30)
    assert "code" in returned(driver.authorize(client, prompt="none", id_token_hint=hint))
    driver.sign_in(driver.register())
    driver.code(client)
    assert driver.refused(client, prompt="none", id_token_hint=hint)["error"] == "login_required"
    assert driver.authorize(client, id_token_hint=hint)["page"] == "login"


def test_what_is_no_id_token_for_the_client_names_nobody(signed_in):
    tokens, others = signed_in.tokens("web"), signed_in.tokens("app")
    forged = signed_in.assertion("web", iss=BASE, sub=signed_in.account.subject, aud="web")
    hints = ("x", "a.b.c", forged, others["id_token"], tokens["access_token"], tokens["id_token"][:-2])
    for hint in hints:
        assert signed_in.refused("web", id_token_hint=hint)["error"] == "invalid_request"
    two = asking(id_token={"sub": {"value": "another"}})
    assert signed_in.refused("web", id_token_hint=tokens["id_token"], **two)["error"] == "invalid_request"


# The way back


def test_an_answer_goes_back_in_a_form(signed_in):
    page = signed_in.authorize("web", response_mode="form_post", ui_locales="en")
    assert (page["page"], page["action"], page["ui_locales"]) == ("form_post", REDIRECTS["web"], "en")
    fields = dict(page["fields"])
    assert fields.keys() == {"code", "state", "iss"}
    assert (fields["state"], fields["iss"]) == ("s t&ate", BASE)
    assert signed_in.exchange("web", fields["code"]).status == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "root"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none", "max_age": "0"}, "login_required"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"claims": "{"}, "invalid_request"),
    ],
)
def test_errors_go_back_in_a_form_too(signed_in, changes, error):
    page = signed_in.authorize("web", response_mode="form_post", **changes)
    assert (page["page"], page["action"]) == ("form_post", REDIRECTS["web"])
    answered = returned(page)
    assert (answered["error"], answered["state"]) == (error, "s t&ate")


def test_no_form_goes_to_an_address_that_is_not_registered(signed_in):
    page = signed_in.authorize("web", response_mode="form_post", redirect_uri="https://evil.example/")
    assert page["page"] == "error"


@pytest.mark.parametrize("mode", ["fragment", "query.jwt", "web_message"])
def test_another_response_mode_is_refused_by_the_query(signed_in, mode):
    page = signed_in.authorize("web", response_mode=mode)
    assert (page["page"], returned(page)["error"]) == ("redirect", "invalid_request")


def test_an_app_takes_no_form(signed_in):
    changes = {"response_mode": "form_post", "redirect_uri": "onehall://callback"}
    assert signed_in.refused("app", **changes)["error"] == "invalid_request"


# Redirect URIs: nothing but the registered text is redirected to


@pytest.mark.parametrize(
    "trick",
    [
        "{0}.evil.example",
        "{0}/../evil",
        "{0}/",
        "{0}?next=https://evil.example",
        "{0}#evil",
        "{0}%0d%0aLocation:evil",
        " {0}",
        "{0} ",
        "HTTP{1}",
        "http://user@127.0.0.1:9555/callback",
        "http://127.0.0.1:9555@evil.example/callback",
        "http://127.0.0.1:9555/CALLBACK",
        "http://127.0.0.1:9555/callback;x",
        "http://127.0.0.1:9555//callback",
        "http://127.1:9555/callback",
        "http://localhost:9555/callback",
        "https://127.0.0.1:9555/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:95551/callback",
        "//127.0.0.1:9555/callback",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_redirect_uri_is_taken_to_the_letter(signed_in, trick, mode):
    registered = REDIRECTS["rp-test"]
    uri = trick.format(registered, registered.removeprefix("http"))
    assert uri != registered
    page = signed_in.authorize("rp-test", redirect_uri=uri, response_mode=mode)
    assert page["page"] == "error"
    assert "location" not in page
