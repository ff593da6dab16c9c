"""The pages of signing out at a client's wish, and who may make whose browser do it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.unit.gateway_fakes import BASE, Door, FakeRpc, make_door, web_session

ASKED = {"client": "A shop", "redirect_uri": "https://rp.example/out"}
CONFIRM = ASKED | {"page": "confirm", "username": "anna", "fields": [["client_id", 'rp"><x'], ["state", "s"]]}
GONE = ASKED | {"page": "signed-out", "location": "https://rp.example/out?state=s"}
REDIRECT = GONE | {"page": "redirect"}
ERROR = {"page": "error", "error": "invalid_request", "description": "<b>"}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Accept-Language": "en"}


def door_to(page: dict[str, Any]) -> tuple[FakeRpc, Door]:
    rpc = FakeRpc({"identity.answer_end_session": page, "identity.get_web_session": web_session()})
    door = make_door(rpc)
    door.cookies.set("onehall_session", "s-1")
    return rpc, door


def test_who_is_signed_out_goes_back_without_any_cookie() -> None:
    rpc, door = door_to(REDIRECT)
    door.cookies.set("onehall_web", "w-1")
    response = door.get("/oauth/logout?client_id=rp&state=a%20b")
    assert (response.status_code, response.headers["location"]) == (303, "https://rp.example/out?state=s")
    assert rpc.of("identity.answer_end_session") == [("client_id=rp&state=a%20b", "s-1", None)]
    ended = {cookie.partition("=")[0] for cookie in response.headers.get_list("set-cookie") if "Max-Age=0" in cookie}
    assert ended == {"onehall_session", "onehall_web"}


def test_the_person_is_asked_on_a_page_that_may_lead_to_the_client() -> None:
    _, door = door_to(CONFIRM)
    page = door.get("/oauth/logout?client_id=rp", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "A shop asks that you be signed out." in page.text
    assert 'value="rp&#34;&gt;&lt;x"' in page.text
    assert "form-action 'self' https://rp.example;" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers


def test_the_answer_of_the_page_is_the_persons() -> None:
    rpc, door = door_to(REDIRECT)
    posted = {"client_id": "rp", "state": "s", "decision": "sign-out", "other": "x"}
    response = door.post("/oauth/logout", data=posted, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 303
    assert rpc.of("identity.answer_end_session") == [("client_id=rp&state=s", "s-1", "sign-out")]


def test_who_stays_keeps_the_cookies() -> None:
    _, door = door_to({"page": "stayed"})
    response = door.post("/oauth/logout", data={"decision": "stay"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("headers", [ELSEWHERE, {"Origin": "https://evil.example"}, {"Origin": "null"}])
@pytest.mark.parametrize("page", [CONFIRM, REDIRECT])
def test_a_post_of_another_site_comes_again_from_a_page_of_ours_and_without_a_decision(
    page: dict[str, Any], headers: dict[str, str]
) -> None:
    rpc, door = door_to(page)
    posted = {"client_id": "rp", "id_token_hint": "a.b.c", "decision": "sign-out"}
    response = door.post("/oauth/logout", data=posted, headers=headers)
    assert response.status_code == 200
    assert rpc.of("identity.answer_end_session") == [("client_id=rp&id_token_hint=a.b.c", None, None)]
    assert 'action="/oauth/logout"' in response.text
    assert 'name="id_token_hint" value="a.b.c"' in response.text
    assert "decision" not in response.text
    # the browser is led to the client in the end, which the policy of this page must allow
    assert "form-action 'self' https://rp.example;" in response.headers["content-security-policy"]
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("headers", [{}, ELSEWHERE])
def test_a_wrong_request_is_told_to_the_person_and_nobody_is_signed_out(headers: dict[str, str]) -> None:
    _, door = door_to(ERROR)
    response = door.post("/oauth/logout", data={"client_id": "rp"}, headers=headers)
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "set-cookie" not in response.headers
    assert "&lt;b&gt;" in response.text


def test_who_came_by_a_link_alone_is_shown_where_it_leads() -> None:
    _, door = door_to(GONE)
    response = door.get("/oauth/logout", headers={"Accept-Language": "en"})
    assert response.status_code == 200
    assert '<a class="govuk-link" href="https://rp.example/out?state=s">Back to A shop</a>' in response.text


def test_a_request_that_is_too_long_is_refused() -> None:
    rpc, door = door_to(CONFIRM)
    response = door.post("/oauth/logout", data={"state": "s" * 9_000}, headers=ELSEWHERE)
    assert response.status_code == 413
    assert not rpc.calls


def test_parameters_arrive_as_they_were_sent() -> None:
    rpc, door = door_to(CONFIRM)
    sent = [("state", "ä &=+"), ("state", "2")]
    door.post("/oauth/logout", data={"state": ["ä &=+", "2"]}, headers={"Origin": BASE})
    ((parameters, _, _),) = rpc.of("identity.answer_end_session")
    assert parse_qsl(parameters) == sent
