"""What every answer carries, and what no request may do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.app import create_app
from gateway.content_policy import content_security_policy, policy_for_redirect
from gateway.requests import correlation_id_of
from gateway.security import MAX_BODY, MAX_HEADERS, UPLOADS
from tests.unit.gateway_fakes import BASE, CASE, FakeRpc, bearer, make_door, make_settings

REQUEST_ID = "0b0e3f0e-5a3c-4c39-9f1a-8d6c1d2d3e4f"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("address", ["/login", "/api/v1/cases", "/nothing", "/healthz", "/static/favicon.svg"])
def test_every_answer_has_the_security_headers(address: str) -> None:
    headers = make_door(FakeRpc()).get(address).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


def test_https_adds_hsts_and_host_cookies() -> None:
    rpc = FakeRpc({"identity.sign_in": {"session": "s", "subject": "sub-1", "max_age": 60}})
    door = make_door(rpc, base_url="https://hall.example")
    assert "max-age" in door.get("/login").headers["strict-transport-security"]
    cookie = door.post("/login", data={"username": "a", "password": "b"}).headers["set-cookie"]
    assert cookie.startswith("__Host-onehall_session=s;")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


def test_what_is_somebodys_own_is_not_stored() -> None:
    door = make_door(FakeRpc({"cases.list_cases": {"items": [], "next": None}, "cases.list_items": {"items": []}}))
    assert door.get("/api/v1/cases", headers=bearer()).headers["cache-control"] == "no-store"
    assert door.get("/api/v1/items").headers["cache-control"].startswith("public")


@pytest.mark.parametrize("address", ["/", "/api/v1/cases", "/healthz", "/static/favicon.svg"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Accept-Language": "x0" + "," * MAX_HEADERS},
        {"Cookie": "a=b; " * 7_000},
        {f"X-{n}": "x" * 90 for n in range(400)},
    ],
    ids=["one", "cookies", "many"],
)
def test_headers_over_the_limit_are_refused_unread(address: str, headers: dict[str, str]) -> None:
    rpc = FakeRpc()
    response = make_door(rpc).get(address, headers=headers | {"Authorization": bearer()["Authorization"]})
    assert response.status_code == 431
    assert response.json()["type"] == "urn:onehall:problem:headers-too-large"
    assert response.headers["connection"] == "close"
    assert "x-request-id" in response.headers
    assert not rpc.calls


def test_headers_over_the_limit_are_refused_with_a_page_for_a_browser() -> None:
    headers = {"Accept": "text/html", "Accept-Language": "en", "Cookie": "a=b; " * 7_000}
    response = make_door(FakeRpc()).get("/cases", headers=headers)
    assert response.status_code == 431
    assert "Request headers too large</h1>" in response.text


@pytest.mark.parametrize("address", ["/api/v1/cases/", "/cases/", "/login/", "/static", "/inbox/preferences/"])
def test_no_address_is_mended_by_a_redirect_to_the_requests_own_host(address: str) -> None:
    door = make_door(FakeRpc(), base_url="https://hall.example")
    for method in ("GET", "POST"):
        response = door.request(method, address, headers={"Host": "evil.example", "Sec-Fetch-Site": "same-origin"})
        assert response.status_code in (404, 405)
        assert "location" not in response.headers


def test_a_body_over_the_limit_is_refused_by_its_length() -> None:
    rpc = FakeRpc()
    response = make_door(rpc).post("/api/v1/cases", content=b"x" * (MAX_BODY + 1), headers=bearer())
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert not rpc.calls


@pytest.mark.parametrize("place", ["", "/kiosk", "/hall/visit", "/api/v1"])
@pytest.mark.parametrize("of", ["drafts/d-1", "cases/OH-1", "joint/OH-1", "joint-cases/OH-1"])
def test_every_address_that_takes_a_file_takes_one_as_long_as_files_may_be(place: str, of: str) -> None:
    assert UPLOADS.fullmatch(f"{place}/{of}/documents{'' if place == '/api/v1' else '/permit'}")


@pytest.mark.parametrize("address", ["/api/v1/cases", "/oauth/token", "/login"])
def test_a_body_over_the_limit_is_refused_while_it_streams(address: str) -> None:
    sent: list[dict[str, Any]] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"a=" + b"x" * 99_998, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    kind = b"application/json" if address.startswith("/api") else b"application/x-www-form-urlencoded"
    scope = {
        "type": "http",
        "method": "POST",
        "path": address,
        "query_string": b"",
        "headers": [(b"content-type", kind), (b"authorization", bearer()["Authorization"].encode())],
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
    }
    asyncio.run(create_app(make_settings(), FakeRpc())(scope, receive, send))
    assert sent[0]["status"] == 413
    assert read * 100_000 <= MAX_BODY + 200_000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Sec-Fetch-Site": "same-origin"}, 401),
        ({"Origin": BASE}, 401),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 401),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": BASE}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_a_post_of_a_page_comes_from_our_own_pages(headers: dict[str, str], status: int) -> None:
    from contracts.errors import SignInRefused

    door = make_door(FakeRpc({"identity.sign_in": SignInRefused()}))
    assert door.post("/login", data={"username": "a", "password": "b"}, headers=headers).status_code == status


def test_programs_may_call_from_anywhere() -> None:
    rpc = FakeRpc({"cases.submit_case": CASE})
    headers = bearer() | {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert make_door(rpc).post("/api/v1/cases", json={"item": "a", "form": {}}, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("http://127.0.0.1:9555/callback", "http://127.0.0.1:9555"),
        ("https://rp.example/cb?x=1", "https://rp.example"),
        ("onehall://callback", "onehall:"),
    ],
)
def test_the_clients_address_is_a_form_target(address: str, source: str) -> None:
    assert f"form-action 'self' {source};" in policy_for_redirect(address)


@pytest.mark.parametrize(
    "address", ["", "javascript:alert(1)", "https://a.example; script-src *", "https://a b", "http://[::1", "https://*"]
)
def test_a_form_target_never_breaks_the_policy(address: str) -> None:
    assert policy_for_redirect(address) == content_security_policy()


def test_a_request_keeps_its_id_and_its_trace() -> None:
    door = make_door(FakeRpc())
    headers = door.get("/healthz", headers={"X-Request-ID": REQUEST_ID, "traceparent": TRACE}).headers
    assert headers["x-request-id"] == REQUEST_ID
    assert headers["traceparent"].split("-")[1] == TRACE.split("-")[1]
    assert headers["traceparent"] != TRACE


@pytest.mark.parametrize("header", [None, "", "1", "x\ny", "0" * 5_000])
def test_an_id_that_is_none_is_made_anew(header: str | None) -> None:
    made = correlation_id_of(header)
    assert made != header
    assert len(made) == 36


def test_health_and_readiness() -> None:
    rpc = FakeRpc()
    door = make_door(rpc)
    assert door.get("/readyz").status_code == 200
    rpc.reachable = False
    assert (door.get("/healthz").status_code, door.get("/readyz").status_code) == (200, 503)


def test_metrics_are_not_for_the_public() -> None:
    assert "onehall_http_requests" in make_door(FakeRpc()).get("/metrics").text
    own = {"environment": "production", "web_client_secret": "own"}
    assert make_door(FakeRpc(), **own).get("/metrics").status_code == 404


def test_production_needs_a_secret_of_its_own() -> None:
    with pytest.raises(ValueError, match="ONEHALL_WEB_CLIENT_SECRET"):
        make_settings(environment="production")
