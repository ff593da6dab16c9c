from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidInput
from services.identity import domain
from services.identity.domain import (
    Account,
    BrowserSession,
    Client,
    Ending,
    TokenFamily,
    UnknownPrompt,
    Wish,
    is_login_fresh,
    is_mail_address,
    is_registrable_uri,
    is_session_live,
    needs_consent,
    normalize_username,
    parse_wish,
    reason_to_end,
    refresh_token_expiry,
    require_valid_account,
    require_valid_client,
)
from services.identity.persons.identifiers import Particulars, spelled

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
APP = Client("app", "App", redirect_uris=("http://127.0.0.1/callback", "http://[::1]/callback", "onehall://callback"))
ANNA = Account("s", "anna", "Anna")
WEB = Client("web", "Web", secret_hash="x", redirect_uris=("http://127.0.0.1:8000/callback",))


@pytest.mark.parametrize("spelling", ["anna", "ANNA", " Anna ", "Ａｎｎａ"])
def test_every_spelling_of_a_username_is_one(spelling):
    assert normalize_username(spelling) == "anna"


@pytest.mark.parametrize("text", ["", "   ", "an\0na", "an\nna", "an\u200bna", "\ud800", "a" * 65])
def test_nobody_can_be_called_that(text):
    assert normalize_username(text) is None


@given(st.text())
def test_a_normalized_username_stays_as_it_is(text):
    name = normalize_username(text)
    assert name is None or normalize_username(name) == name


@given(st.integers(min_value=1, max_value=65535))
def test_a_native_app_may_listen_on_any_loopback_port(port):
    assert APP.accepts_redirect_uri(f"http://127.0.0.1:{port}/callback")
    assert APP.accepts_redirect_uri(f"http://[::1]:{port}/callback")


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1/other",
        "http://127.0.0.1:1/callback/",
        "http://127.0.0.1:1/callback?next=x",
        "http://127.0.0.1:1@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:999999/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:01/callback",
        "http://localhost:1/callback",
        "https://127.0.0.1:1/callback",
        "http://127.0.0.1:1/callback\n",
        "HTTP://127.0.0.1/callback",
        "onehall://callback/x",
        "",
    ],
)
def test_everything_else_about_an_address_is_compared_exactly(uri):
    assert not APP.accepts_redirect_uri(uri)


@given(st.text())
def test_an_address_that_is_accepted_ends_like_a_registered_one(tail):
    uri = f"http://127.0.0.1{tail}"
    if APP.accepts_redirect_uri(uri):
        assert domain.without_port(uri) in APP.redirect_uris


def test_a_confidential_client_has_its_port_fixed():
    assert WEB.accepts_redirect_uri("http://127.0.0.1:8000/callback")
    assert not WEB.accepts_redirect_uri("http://127.0.0.1:8001/callback")


def test_a_session_ends_by_age_and_by_idleness():
    seen = NOW + timedelta(hours=11, minutes=30)
    assert is_session_live(NOW, seen, seen + timedelta(minutes=29))
    assert not is_session_live(NOW, seen, seen + timedelta(minutes=30))
    assert not is_session_live(NOW, NOW, NOW + timedelta(hours=1))


def test_a_family_lives_on_while_it_is_used_but_not_for_ever():
    family = TokenFamily("f", "app", "sub", "openid", NOW, NOW)
    assert refresh_token_expiry(APP, family, NOW) == NOW + domain.REFRESH_TOKEN_IDLE
    late = NOW + timedelta(days=80)
    assert refresh_token_expiry(APP, family, late) == NOW + domain.REFRESH_TOKEN_ABSOLUTE
    brief = replace(APP, refresh_token_seconds=7_200)
    assert refresh_token_expiry(brief, family, late) == late + timedelta(hours=2)


def test_a_wish_is_read():
    assert parse_wish(None, None) == Wish()
    assert parse_wish("login consent", "30") == Wish(frozenset({"login", "consent"}), timedelta(seconds=30))


@pytest.mark.parametrize("prompt", ["none login", "create", "Login", "none consent"])
def test_an_unknown_or_contradictory_prompt_is_refused(prompt):
    with pytest.raises(UnknownPrompt):
        parse_wish(prompt, None)


@pytest.mark.parametrize("max_age", ["-1", "x", "1.5", "", "٣", "9" * 10])
def test_a_max_age_is_a_number_of_seconds(max_age):
    with pytest.raises(ValueError, match="max_age"):
        parse_wish(None, max_age)


@pytest.mark.parametrize("wish", [Wish(frozenset({"login"})), Wish(max_age=timedelta(0))])
def test_a_demanded_login_is_done_by_signing_in_for_the_request(wish):
    later = NOW + timedelta(minutes=5)
    assert is_login_fresh(wish, BrowserSession(ANNA, NOW, "request"), "request", later)
    for signed_in_for in ("another", None):
        assert not is_login_fresh(wish, BrowserSession(ANNA, NOW, signed_in_for), "request", later)


@given(age=st.integers(min_value=0, max_value=10_000), max_age=st.integers(min_value=1, max_value=10_000))
def test_max_age_limits_how_long_ago_somebody_signed_in(age, max_age):
    wish = Wish(max_age=timedelta(seconds=max_age))
    signed_in = BrowserSession(ANNA, NOW - timedelta(seconds=age))
    assert is_login_fresh(wish, signed_in, "request", NOW) == (age <= max_age)


def test_consent_is_asked_of_strangers_for_what_is_new():
    asked = frozenset({"openid", "cases"})
    stranger, own = Client("rp", "RP"), Client("web", "Web", first_party=True)
    assert needs_consent(stranger, Wish(), asked, frozenset({"openid"}))
    assert not needs_consent(stranger, Wish(), asked, asked | {"email"})
    assert needs_consent(stranger, Wish(frozenset({"consent"})), asked, asked)
    assert not needs_consent(own, Wish(), asked, frozenset())


@pytest.mark.parametrize(
    "uri",
    [
        "https://rp.example/cb",
        "http://127.0.0.1/cb",
        "https://rp.example",
        "https://rp.example:65535/cb?a=b%20c",
        "http://[::1]:80/cb",
        "onehall://callback",
        "com.example.app:/cb",
    ],
)
def test_these_addresses_can_be_registered(uri):
    assert is_registrable_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/cb",
        "https://",
        "https:///cb",
        "https://rp.example/cb#x",
        "https://good.example@evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "JAVASCRIPT:alert(1)",
        "https://rp.example/a b",
        "java\tscript:alert(1)",
        # a scheme that is none of an app's, of which every system knows some that do more than open a page
        "intent://callback",
        "ms-msdt:/id",
        "onehalls://callback",
        "com.example.app:",
        "https://rp.example:65536/cb",
        "https://rp.example:0/cb",
        "https://rp.example:/cb",
        "https://rp.example;x/cb",
        "https://good.example\\@evil.example/",
        "https://[::1/cb",
        "https://例子.example/cb",
        "https://rp.example/cb?x=é",
    ],
)
def test_these_cannot(uri):
    assert not is_registrable_uri(uri)


def test_everything_wrong_with_a_client_is_said_at_once():
    wrong = Client("No Such!", "x", grants=("client_credentials", "password"), scopes=("root",), channel="fax")
    with pytest.raises(InvalidInput) as refused:
        require_valid_client(wrong)
    pointers = [fault["pointer"] for fault in refused.value.faults]
    assert pointers == ["/id", "/grants", "/scopes", "/channel", "/grants"]


@pytest.mark.parametrize("scope", ["contacts", "events"])
@pytest.mark.parametrize("grant", ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"])
def test_no_person_can_grant_what_is_everybodys(scope, grant):
    fields = {"secret_hash": "x", "auth_methods": ("client_secret_basic",), "redirect_uris": WEB.redirect_uris}
    with pytest.raises(InvalidInput) as refused:
        require_valid_client(
            Client("rp", "RP", grants=(grant, "client_credentials"), scopes=("openid", scope), **fields)
        )
    assert refused.value.faults == [{"pointer": "/scopes", "rule": "not", "value": scope}]
    require_valid_client(Client("rp", "RP", grants=("client_credentials",), scopes=(scope,), **fields))


def test_a_client_with_codes_needs_an_address():
    with pytest.raises(InvalidInput):
        require_valid_client(Client("rp", "RP"))
    require_valid_client(APP)


def test_everything_wrong_with_an_account_is_said_at_once():
    wrong = spelled(Particulars(email="nowhere"))[1]
    with pytest.raises(InvalidInput) as refused:
        require_valid_account(Account("s", "", "n\0", locale="xx", roles=("king",)), wrong)
    pointers = [fault["pointer"] for fault in refused.value.faults]
    assert pointers == ["/username", "/name", "/email", "/roles", "/locale"]


@pytest.mark.parametrize("name", ["陈晓明", "欧阳\ue000", "نیما\u200cی", "Anna-Maria O'Neill"])
def test_a_rare_name_is_a_name(name):
    require_valid_account(replace(ANNA, name=name))


@pytest.mark.parametrize("text", ["anna@example.org", "a.b+c=d@mail.example", "用户@例子.中国", "o'neill@x", "a@b-c.d"])
def test_this_is_a_mail_address(text):
    assert is_mail_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "@x",
        "anna@",
        "a@b@c",
        "anna@x, all@x",
        "anna@x,all@x",
        "anna@x;all@x",
        "Anna <anna@x>",
        "an na@x",
        "an\u3000na@x",
        "an\u200bna@x",
        "anna@x\r\nBcc: all@x",
        "anna@x\n",
        "anna\0@x",
        "\ud800@x",
        '"anna"@x',
        "anna(all)@x",
        ".anna@x",
        "an..na@x",
        "anna.@x",
        "anna@x.",
        "anna@x..y",
        "anna@[10.0.0.1]",
        "=?utf-8?q?a=2C?=@x",
        "a" * 253 + "@x",
    ],
)
def test_this_is_none(text):
    assert not is_mail_address(text)


@given(st.text(alphabet='ab.@, <>"\\;:()=?\r\n\0é中\u3000-'))
def test_a_mail_address_is_one_address(text):
    if is_mail_address(text):
        assert getaddresses([text]) == [("", text)]


PROGRAM = Client("program", "Program", department="civil-affairs", scopes=("events",))
LONGEST = timedelta(seconds=630)


@pytest.mark.parametrize(
    ("changes", "proved_ago", "ending"),
    [
        ({}, LONGEST, None),
        ({}, LONGEST + timedelta(seconds=1), Ending.EXPIRED),
        ({"ends_at": NOW + timedelta(seconds=1)}, timedelta(0), None),
        ({"ends_at": NOW}, timedelta(0), Ending.ENDED),
        ({"is_disabled": True}, timedelta(0), Ending.DISABLED),
    ],
)
def test_why_a_connection_to_the_broker_ends(changes, proved_ago, ending):
    assert reason_to_end(replace(PROGRAM, **changes), NOW - proved_ago, NOW, LONGEST) is ending


@pytest.mark.parametrize("owner", ["*", "civil.affairs", "#", "", "a b", "x" * 65])
@pytest.mark.parametrize("kind", ["department", "organisation"])
def test_an_owner_opens_nobody_elses_queues(kind, owner):
    client = replace(PROGRAM, department=None, secret_hash="x", auth_methods=("client_secret_basic",))
    with pytest.raises(InvalidInput) as refused:
        require_valid_client(replace(client, grants=("client_credentials",), **{kind: owner}))
    assert [fault["pointer"] for fault in refused.value.faults] == [f"/{kind}"]
