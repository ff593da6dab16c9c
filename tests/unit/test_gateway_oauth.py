"""The provider's addresses: identity's answers come out as they are, and as pages where people decide."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from contracts.errors import SessionEnded, SignInRefused, TooManyAttempts
from gateway.pages.entrances import challenge_of
from gateway.pages.visits import local_path
from tests.unit.gateway_fakes import BASE, FakeRpc, answer_jwks, make_door, web_session

QUERY = "client_id=rp&redirect_uri=http%3A%2F%2F127.0.0.1%3A9555%2Fcallback&scope=a%20b&state=%22%3E%3Cb%3E"
CALLBACK = "http://127.0.0.1:9555/callback"
CONSENT = {
    "page": "consent",
    "client": "<b>Library</b>",
    "scopes": ["openid", "odd.scope"],
    "username": "citizen",
    "redirect_uri": CALLBACK,
}


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("/oauth/jwks", "jwks"),
        ("/.well-known/openid-configuration", "configuration"),
        ("/.well-known/oauth-authorization-server", "configuration"),
    ],
)
def test_what_is_said_to_everybody_alike_is_asked_once_a_second(address: str, endpoint: str) -> None:
    said = {"status": 200, "headers": [["Content-Type", "application/json"], ["X-Own", "1"]], "body": "{}"}
    rpc = FakeRpc({"identity.answer_protocol": said})
    door = make_door(rpc)
    for query in ("", "?a=1", "?a=2"):
        response = door.get(f"{address}{query}", headers={"Authorization": "Basic abc"})
        assert (response.text, response.headers["x-own"]) == ("{}", "1")
        assert response.headers["access-control-allow-origin"] == "*"
    # nothing of one caller's request is in what the next one gets
    assert rpc.of("identity.answer_protocol") == [(endpoint, "GET", f"{BASE}{address}", {}, "")]


@pytest.mark.parametrize(
    ("method", "address", "endpoint"),
    [
        ("POST", "/oauth/token", "token"),
        ("POST", "/oauth/revoke", "revoke"),
        ("POST", "/oauth/par", "par"),
        ("POST", "/oauth/device_authorization", "device_authorization"),
        ("POST", "/oauth/register", "register"),
        ("GET", "/oauth/register/dyn-1", "registration"),
        ("PUT", "/oauth/register/dyn-1", "registration"),
        ("DELETE", "/oauth/register/dyn-1", "registration"),
        ("GET", "/oauth/userinfo", "userinfo"),
        ("POST", "/oauth/userinfo", "userinfo"),
    ],
)
def test_a_protocol_request_is_forwarded_as_it_is(method: str, address: str, endpoint: str) -> None:
    answer = {"status": 418, "headers": [["Content-Type", "application/json"], ["X-Own", "1"]], "body": "{}"}
    rpc = FakeRpc({"identity.answer_protocol": answer})
    response = make_door(rpc).request(
        method,
        f"{address}?a=%20b",
        content="grant_type=x&code=%2B",
        headers={
            "Authorization": "Basic abc",
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": "https://spa.example",
            "Cookie": "onehall_session=s",
        },
    )
    ((asked, sent_method, url, headers, body),) = rpc.of("identity.answer_protocol")
    assert (asked, sent_method, url) == (endpoint, method, f"{BASE}{address}?a=%20b")
    assert body == "grant_type=x&code=%2B"
    assert headers["Authorization"] == "Basic abc"
    assert "Cookie" not in headers
    assert (response.status_code, response.text, response.headers["x-own"]) == (418, "{}", "1")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


def test_a_browser_may_ask_before_it_asks() -> None:
    headers = {"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}
    response = make_door(FakeRpc()).request("OPTIONS", "/oauth/token", headers=headers)
    assert response.status_code == 204
    assert "Authorization" in response.headers["access-control-allow-headers"]


def test_who_is_not_signed_in_signs_in_and_comes_back() -> None:
    rpc = FakeRpc({"identity.answer_authorization": {"page": "login"}})
    door = make_door(rpc)
    to_login = door.get(f"/oauth/authorize?{QUERY}")
    assert to_login.status_code == 303
    rpc.answers["identity.sign_in"] = {"session": "s-1", "subject": "sub-1", "max_age": 60}
    back = door.post(to_login.headers["location"], data={"username": "citizen", "password": "pw"})
    assert (back.status_code, back.headers["location"]) == (303, f"/oauth/authorize?{QUERY}")
    rpc.answers["identity.answer_authorization"] = {"page": "redirect", "location": "onehall://callback?code=1"}
    away = door.get(back.headers["location"])
    assert (away.status_code, away.headers["location"]) == (302, "onehall://callback?code=1")
    assert rpc.of("identity.answer_authorization")[-1] == (f"{BASE}/oauth/authorize?{QUERY}", "s-1", None)
    assert rpc.of("identity.sign_in") == [("citizen", "pw", "web", f"/oauth/authorize?{QUERY}", None, None, None)]


def test_a_sign_in_is_for_the_address_as_the_browser_will_ask_for_it() -> None:
    rpc = FakeRpc({"identity.sign_in": {"session": "s-2", "subject": "sub-1", "max_age": 60}})
    door = make_door(rpc)
    door.cookies.set("onehall_session", "s-1")
    target = "/oauth/authorize?state=a|b"
    back = door.post(f"/login?next={quote(target, safe='')}", data={"username": "a", "password": "b"})
    assert rpc.of("identity.sign_in") == [("a", "b", "web", back.headers["location"], "s-1", None, None)]


def test_a_browser_that_signed_in_is_known_the_next_time() -> None:
    rpc = FakeRpc({"identity.sign_in": {"session": "s-2", "subject": "sub-1", "max_age": 60, "device": "d-1"}})
    door = make_door(rpc)
    answer = door.post("/login", data={"username": "a", "password": "b"})
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("onehall_device=")]
    assert "d-1" in cookie
    assert "HttpOnly" in cookie
    assert "Max-Age=34560000" in cookie
    door.post("/login", data={"username": "a", "password": "b"})
    assert rpc.of("identity.sign_in")[-1][-1] == "d-1"


def test_who_tried_too_often_reads_that_on_a_page() -> None:
    door = make_door(FakeRpc({"identity.sign_in": TooManyAttempts(15)}))
    answer = door.post("/login", data={"username": "a", "password": "b"}, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "15")
    assert "<h1" in answer.text


@pytest.mark.parametrize(
    ("target", "answer", "source"),
    [
        (
            f"/oauth/authorize?{QUERY}",
            {"page": "login", "redirect_uri": "https://rp.example/cb"},
            " https://rp.example",
        ),
        (f"/oauth/authorize?{QUERY}", {"page": "login", "redirect_uri": "onehall://callback"}, " onehall:"),
        (f"/oauth/authorize?{QUERY}", {"page": "error", "error": "invalid_client", "description": ""}, ""),
        (f"/oauth/authorize?{QUERY}", {"page": "redirect", "location": "http://127.0.0.1:9555/callback"}, ""),
        (f"/items/x?{QUERY}", {"page": "login", "redirect_uri": "https://rp.example/cb"}, ""),
        (f"/login/start?{QUERY}", {"page": "login", "redirect_uri": "https://rp.example/cb"}, ""),
    ],
)
def test_the_sign_in_form_leads_only_where_identity_has_checked(
    target: str, answer: dict[str, Any], source: str
) -> None:
    rpc = FakeRpc({"identity.answer_authorization": answer, "identity.sign_in": SignInRefused()})
    door = make_door(rpc)
    login = f"/login?next={quote(target, safe='')}"
    for page in (door.get(login), door.post(login, data={"username": "a", "password": "b"})):
        assert f"form-action 'self'{source};" in page.headers["content-security-policy"]
    asked = rpc.of("identity.answer_authorization")
    assert asked == ([(f"{BASE}{target}", None, None)] * 2 if target.startswith("/oauth") else [])


def test_a_wrong_password_is_said_in_one_way() -> None:
    rpc = FakeRpc({"identity.sign_in": SignInRefused()})
    door = make_door(rpc)
    pages = [
        door.post(f"/login?next={quote('/cases')}", data=fields)
        for fields in (
            {"username": "a", "password": "b"},
            {"username": "a", "password": "b" * 9_999},
            {"username": "a"},
        )
    ]
    assert {page.status_code for page in pages} == {401}
    assert len({page.text for page in pages}) == 1
    assert "set-cookie" not in pages[0].headers


LOGIN = {"page": "login", "redirect_uri": CALLBACK, "login_hint": '"><b>anna', "ui_locales": "fr zh-Hant en"}


def test_the_sign_in_page_begins_with_the_name_and_the_language_that_the_client_knows() -> None:
    rpc = FakeRpc({"identity.answer_authorization": LOGIN, "identity.sign_in": SignInRefused()})
    door = make_door(rpc)
    address = door.get(f"/oauth/authorize?{QUERY}").headers["location"]
    page = door.get(address, headers={"Accept-Language": "en"})
    assert page.headers["content-language"] == "zh-Hant"
    assert 'value="&#34;&gt;&lt;b&gt;anna"' in page.text
    refused = door.post(address, data={"username": "berta", "password": "pw"}, headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.headers["content-language"]) == (401, "zh-Hant")
    assert 'value="berta"' in refused.text


def test_a_persons_own_choice_of_language_is_stronger_than_the_clients() -> None:
    door = make_door(FakeRpc({"identity.answer_authorization": LOGIN}))
    address = door.get(f"/oauth/authorize?{QUERY}").headers["location"]
    assert door.get(f"{address}&lang=en").headers["content-language"] == "en"
    assert door.get(address).headers["content-language"] == "en"


@pytest.mark.parametrize("ui_locales", [None, "", "fr", "x" * 200])
def test_a_language_that_we_do_not_speak_changes_nothing(ui_locales: str | None) -> None:
    page = CONSENT | ({"ui_locales": ui_locales} if ui_locales is not None else {})
    door = make_door(FakeRpc({"identity.answer_authorization": page}))
    response = door.get(f"/oauth/authorize?{QUERY}", headers={"Accept-Language": "en"})
    assert response.headers["content-language"] == "en"


def test_the_consent_page_speaks_the_language_that_the_client_asks_for() -> None:
    door = make_door(FakeRpc({"identity.answer_authorization": CONSENT | {"ui_locales": "zh-CN"}}))
    response = door.get(f"/oauth/authorize?{QUERY}", headers={"Accept-Language": "en"})
    assert response.headers["content-language"] == "zh-Hans"


def test_consent_to_a_pushed_request_says_where_it_leads() -> None:
    door = make_door(FakeRpc({"identity.answer_authorization": CONSENT}))
    page = door.get("/oauth/authorize?client_id=rp&request_uri=urn%3Ax", headers={"Accept-Language": "en"})
    assert "127.0.0.1:9555" in page.text
    assert "form-action 'self' http://127.0.0.1:9555;" in page.headers["content-security-policy"]


def test_an_apps_own_address_says_nothing_to_a_person() -> None:
    page = CONSENT | {"redirect_uri": "com.example.app://callback"}
    door = make_door(FakeRpc({"identity.answer_authorization": page}))
    response = door.get(f"/oauth/authorize?{QUERY}", headers={"Accept-Language": "en"})
    assert "You will go on to" not in response.text
    assert "form-action 'self' com.example.app:;" in response.headers["content-security-policy"]


def test_an_answer_is_posted_to_the_client_with_and_without_scripts() -> None:
    fields = [["code", "c-1"], ["state", '"><script>alert(1)</script>'], ["iss", BASE]]
    answer = {"page": "form_post", "action": "https://rp.example/cb?a=b&c", "fields": fields}
    page = make_door(FakeRpc({"identity.answer_authorization": answer})).get(f"/oauth/authorize?{QUERY}")
    assert page.status_code == 200
    assert 'method="post" action="https://rp.example/cb?a=b&amp;c"' in page.text
    assert '<input type="hidden" name="code" value="c-1">' in page.text
    assert "<script>" not in page.text
    assert '<script src="/static/form-post.js"></script>' in page.text
    assert '<button class="govuk-button">' in page.text
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://rp.example;" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-inline" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert make_door(FakeRpc()).get("/static/form-post.js").status_code == 200


def test_consent_is_asked_and_answered() -> None:
    rpc = FakeRpc({"identity.answer_authorization": CONSENT})
    door = make_door(rpc)
    page = door.get(f"/oauth/authorize?{QUERY}", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "&lt;b&gt;Library" in page.text
    assert "<b>Library" not in page.text
    assert 'name="decision" value="allow"' in page.text
    assert "form-action 'self' http://127.0.0.1:9555;" in page.headers["content-security-policy"]
    assert f'action="/oauth/authorize?{QUERY.replace("&", "&amp;")}"' in page.text
    rpc.answers["identity.answer_authorization"] = {"page": "redirect", "location": "http://127.0.0.1:9555/callback"}
    for decision, passed in (("allow", "allow"), ("deny", "deny"), ("perhaps", None)):
        response = door.post(f"/oauth/authorize?{QUERY}", data={"decision": decision})
        assert response.status_code == 303
        assert rpc.of("identity.answer_authorization")[-1][2] == passed


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_another_site_decides_nothing(headers: dict[str, str]) -> None:
    rpc = FakeRpc()
    response = make_door(rpc).post(f"/oauth/authorize?{QUERY}", data={"decision": "allow"}, headers=headers)
    assert response.status_code == 403
    assert not rpc.calls


def test_a_client_may_post_its_request() -> None:
    rpc = FakeRpc()
    posted = {"client_id": "rp", "scope": "openid a&b"}
    response = make_door(rpc).post("/oauth/authorize", data=posted, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 303
    assert response.headers["location"] == "/oauth/authorize?client_id=rp&scope=openid+a%26b"
    assert not rpc.calls


def test_a_large_request_is_not_thrown_back_as_an_address() -> None:
    response = make_door(FakeRpc()).post("/oauth/authorize", data={"state": "s" * 9_000})
    assert response.status_code == 414
    assert response.json()["type"] == "urn:onehall:problem:address-too-long"
    assert "location" not in response.headers


def test_a_wrong_request_is_never_redirected() -> None:
    error = {"page": "error", "error": "invalid_client", "description": "<script>"}
    page = make_door(FakeRpc({"identity.answer_authorization": error})).get(f"/oauth/authorize?{QUERY}")
    assert page.status_code == 400
    assert "invalid_client" in page.text
    assert "<script>" not in page.text
    assert "location" not in page.headers


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/cases\\@evil.example",
        "javascript:alert(1)",
        "/logout",
        "/cases\r\nSet-Cookie: a=b",
        "cases",
        "",
        None,
    ],
)
def test_nobody_is_sent_to_another_site(address: str | None) -> None:
    assert local_path(address) == "/"


@pytest.mark.parametrize("address", ["/cases", "/cases/OH-1?a=b", "/items/x/apply", "/oauth/authorize?a=b"])
def test_our_own_pages_are_come_back_to(address: str) -> None:
    assert local_path(address) == address


def sign_in(rpc: FakeRpc, door: Any, page: str = "/cases") -> Any:
    """The web channel's sign-in up to the provider; its parameters."""
    start = door.get(f"/login/start?next={quote(page)}")
    return {name: values[0] for name, values in parse_qs(urlsplit(start.headers["location"]).query).items()}


def answer_token(endpoint: str, *_: Any) -> dict[str, Any]:
    if endpoint == "jwks":
        return answer_jwks()
    return {"status": 200, "headers": [], "body": '{"access_token": "t", "refresh_token": "r"}'}


def test_the_web_channel_is_a_client_like_any_other() -> None:
    rpc = FakeRpc(
        {
            "identity.answer_protocol": answer_token,
            "identity.save_web_session": "w-1",
            "identity.get_web_session": web_session(),
            "cases.list_cases": {"items": [], "next": None},
        }
    )
    door = make_door(rpc)
    asked = sign_in(rpc, door)
    assert (asked["client_id"], asked["code_challenge_method"]) == ("web", "S256")
    done = door.get(f"/callback?code=c-1&state={asked['state']}&iss={BASE}")
    assert (done.status_code, done.headers["location"]) == (303, "/cases")
    _, _, _, headers, body = rpc.of("identity.answer_protocol")[-1]
    sent = {name: values[0] for name, values in parse_qs(body).items()}
    assert headers["Authorization"].startswith("Basic ")
    assert (sent["code"], sent["redirect_uri"]) == ("c-1", f"{BASE}/callback")
    assert challenge_of(sent["code_verifier"]) == asked["code_challenge"]
    assert rpc.of("identity.save_web_session") == [("web", {"access_token": "t", "refresh_token": "r"}, None)]
    page = door.get("/cases")
    assert page.status_code == 200
    assert "张三" in page.text


def test_signing_in_again_ends_the_session_that_was_before() -> None:
    def answer_session(secret: str) -> dict[str, Any]:
        return web_session() | {"name": {"w-1": "张三", "w-2": "李四"}[secret]}

    rpc = FakeRpc(
        {
            "identity.answer_protocol": answer_token,
            "identity.save_web_session": "w-2",
            "identity.get_web_session": answer_session,
            "cases.list_cases": {"items": [], "next": None},
        }
    )
    door = make_door(rpc)
    door.cookies.set("onehall_web", "w-1", domain="127.0.0.1", path="/")
    assert "张三" in door.get("/cases").text
    asked = sign_in(rpc, door)
    door.get(f"/callback?code=c-1&state={asked['state']}&iss={BASE}")
    assert rpc.of("identity.save_web_session")[0][2] == "w-1"
    assert "李四" in door.get("/cases").text
    # this replica does not remember the old session either
    rpc.answers["identity.get_web_session"] = SessionEnded()
    door.cookies.clear()
    door.cookies.set("onehall_web", "w-1")
    assert door.get("/cases").status_code == 303


@pytest.mark.parametrize(
    "query",
    [
        f"code=c&state=other&iss={BASE}",
        f"code=c&iss={BASE}",
        f"state={{state}}&iss={BASE}",
        f"error=access_denied&state={{state}}&iss={BASE}",
        "code=c&state={state}",
        "code=c&state={state}&iss=https://other.example",
        f"code=c&state={{state}}&iss={BASE}/",
    ],
)
def test_a_sign_in_that_was_not_begun_here_is_not_finished(query: str) -> None:
    rpc = FakeRpc({"identity.answer_protocol": answer_token})
    door = make_door(rpc)
    asked = sign_in(rpc, door)
    assert door.get(f"/callback?{query.format(state=asked['state'])}").status_code == 400
    assert not rpc.of("identity.answer_protocol")


def test_a_code_that_is_refused_signs_nobody_in() -> None:
    refusal = {"status": 400, "headers": [], "body": '{"error": "invalid_grant"}'}
    rpc = FakeRpc({"identity.answer_protocol": refusal})
    door = make_door(rpc)
    asked = sign_in(rpc, door)
    response = door.get(f"/callback?code=c&state={asked['state']}&iss={BASE}")
    assert response.status_code == 400
    assert "onehall_web" not in response.headers.get("set-cookie", "")


def test_signing_out_ends_both_sessions() -> None:
    rpc = FakeRpc(
        {
            "identity.get_web_session": web_session(),
            "identity.end_web_session": None,
            "identity.sign_out": None,
        }
    )
    door = make_door(rpc)
    door.cookies.set("onehall_web", "w-1")
    door.cookies.set("onehall_session", "s-1")
    response = door.post("/logout")
    assert (response.status_code, response.headers["location"]) == (303, "/signed-out")
    assert rpc.of("identity.end_web_session") == [("w-1",)]
    assert rpc.of("identity.sign_out") == [("s-1",)]
    ended = response.headers.get_list("set-cookie")
    assert len(ended) == 2
    assert all('=""; ' in cookie and "Max-Age=0" in cookie for cookie in ended)
