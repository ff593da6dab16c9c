"""Kiosk, phone and counter: whose cookie opens what, and what their pages ask of identity."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from contracts.errors import InvalidInput, NotFound, SessionEnded, TooManyAttempts
from gateway.pages.kiosk import STILL_THERE_SECONDS
from gateway.pages.visits import KIOSK_FORM_SECONDS, KIOSK_SECONDS
from tests.unit.gateway_fakes import BASE, CASE, HISTORY, ITEM, Door, FakeRpc, answer_jwks, make_door, make_token

EMPTY: dict[str, Any] = {"items": [], "next": None}
FILE = {"case": CASE, "history": HISTORY, "item": ITEM, "actions": ["withdraw"]}
CLOSED = FILE | {"case": CASE | {"status": "closed", "decision": "approved"}, "actions": []}
PAGE = {"Accept": "text/html", "Accept-Language": "en"}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}
DEVICE = {
    "device_code": "secret-device-code",
    "user_code": "BCDF-GHJK",
    "verification_uri": f"{BASE}/device",
    "verification_uri_complete": f"{BASE}/device?user_code=BCDF-GHJK",
    "expires_in": 600,
    "interval": 5,
}
CONFIRM = {
    "page": "confirm",
    "user_code": "BCDF-GHJK",
    "client": "<b>Kiosk</b>",
    "device_name": "<script>Hall</script>",
    "scopes": ["cases"],
    "requested_at": "2026-11-01T02:03:04+00:00",
    "username": "citizen",
}


def session_of(channel: str, **claims: Any) -> dict[str, Any]:
    token = make_token(client_id=channel, channel=channel, **claims)
    return {"client": channel, "access_token": token, "name": "张三", "locale": None}


def provider(**bodies: Any) -> Any:
    """Answers of the protocol's endpoints; the others are the keys'."""

    def answer(endpoint: str, *arguments: Any) -> dict[str, Any]:
        if endpoint not in bodies:
            return answer_jwks()
        return {"status": 200, "headers": [], "body": json.dumps(bodies[endpoint])}

    return answer


def at(cookie: str | None, answers: dict[str, Any]) -> tuple[FakeRpc, Door]:
    rpc = FakeRpc({"cases.list_items": EMPTY, "cases.list_cases": EMPTY, "cases.get_item": ITEM, **answers})
    door = make_door(rpc)
    if cookie:
        door.cookies.set(cookie, "s-1")
    return rpc, door


def forgotten(response: Any) -> set[str]:
    """The cookies that an answer takes away."""
    return {set_.partition("=")[0] for set_ in response.headers.get_list("set-cookie") if "Max-Age=0" in set_}


# The kiosk


def waiting(token: dict[str, Any]) -> tuple[FakeRpc, Door]:
    rpc, door = at(None, {"identity.save_web_session": "k-1"})
    rpc.answers["identity.answer_protocol"] = provider(device_authorization=DEVICE, token=token)
    assert door.post("/kiosk/start").headers["location"] == "/kiosk/wait"
    return rpc, door


def test_a_kiosk_shows_its_code_and_looks_again() -> None:
    _, door = waiting({"error": "authorization_pending"})
    page = door.get("/kiosk/wait")
    assert "BCDF-GHJK" in page.text
    assert "<svg" in page.text
    assert page.headers["refresh"] == "5; url=/kiosk/wait"


def test_no_code_and_no_token_reaches_the_kiosks_browser() -> None:
    _, door = waiting({"access_token": "secret-token", "refresh_token": "secret-refresh"})
    seen = str(door.cookies) + door.get("/kiosk/wait").text + str(door.cookies)
    assert "secret" not in seen


def test_a_kiosk_that_is_told_to_slow_down_does() -> None:
    _, door = waiting({"error": "slow_down"})
    assert [door.get("/kiosk/wait").headers["refresh"] for _ in range(2)] == [
        "10; url=/kiosk/wait",
        "15; url=/kiosk/wait",
    ]


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
def test_a_code_that_is_over(error: str) -> None:
    _, door = waiting({"error": error})
    assert "/kiosk/start" in door.get("/kiosk/wait").text
    assert door.get("/kiosk/wait").headers["location"] == "/kiosk/"


def test_an_approved_kiosk_is_signed_in() -> None:
    rpc, door = waiting({"access_token": "t"})
    assert door.get("/kiosk/wait").headers["location"] == "/kiosk/"
    assert rpc.of("identity.save_web_session") == [("kiosk", {"access_token": "t"}, None)]
    assert door.cookies["onehall_kiosk"] == "k-1"


def test_a_kiosk_says_what_it_is_called() -> None:
    rpc, door = at(None, {})
    rpc.answers["identity.answer_protocol"] = provider(device_authorization=DEVICE)
    door.get("/kiosk/", params={"place": "大厅 3 号机"})
    door.post("/kiosk/start")
    body = rpc.of("identity.answer_protocol")[-1][-1]
    assert "device_name=%E5%A4%A7%E5%8E%85+3+" in body


@pytest.mark.parametrize("place", ["x" * 61, "two\nlines"])
def test_a_kiosk_is_not_called_anything(place: str) -> None:
    _, door = at(None, {})
    door.get("/kiosk/", params={"place": place})
    assert "onehall_kiosk_name" not in door.cookies


def test_a_kiosk_that_nobody_touches_asks_and_ends() -> None:
    rpc, door = at("onehall_kiosk", {"identity.get_web_session": session_of("kiosk"), "identity.end_web_session": None})
    assert door.get("/kiosk/").headers["refresh"] == f"{KIOSK_SECONDS}; url=/kiosk/idle"
    form = door.get("/kiosk/items/residence-permit/apply")
    assert form.headers["refresh"] == f"{KIOSK_FORM_SECONDS}; url=/kiosk/idle"
    assert door.get("/kiosk/idle").headers["refresh"] == f"{STILL_THERE_SECONDS}; url=/kiosk/timeout"
    assert door.get("/kiosk/timeout", headers=ELSEWHERE).status_code == 403
    assert rpc.of("identity.end_web_session") == []
    ended = door.get("/kiosk/timeout")
    assert ended.headers["location"] == "/kiosk/"
    assert rpc.of("identity.end_web_session") == [("s-1",)]
    assert {"onehall_kiosk", "onehall_language"} <= forgotten(ended)


def test_pages_of_the_kiosk_stay_at_the_kiosk() -> None:
    answers = {"identity.get_web_session": session_of("kiosk"), "cases.get_case_file": FILE, "cases.act_on_case": CASE}
    _, door = at("onehall_kiosk", answers)
    assert 'action="/kiosk/cases/OH-1/actions"' in door.get("/kiosk/cases/OH-1").text
    done = door.post("/kiosk/cases/OH-1/actions", data={"action": "withdraw"})
    assert done.headers["location"] == "/kiosk/cases/OH-1"
    assert 'action="/kiosk/items/residence-permit/apply"' in door.get("/kiosk/items/residence-permit/apply").text
    assert "refresh" not in at(None, {})[1].get("/items/residence-permit").headers


@pytest.mark.parametrize("page", ["/kiosk/cases", "/kiosk/cases/OH-1", "/kiosk/items/residence-permit/apply"])
def test_a_kiosk_where_nobody_is_signed_in_begins_anew(page: str) -> None:
    assert at(None, {})[1].get(page).headers["location"] == "/kiosk/"
    # nor does the session of another channel do
    for cookie in ("onehall_web", "onehall_kiosk"):
        _, door = at(cookie, {"identity.get_web_session": session_of("web")})
        assert door.get(page).headers["location"] == "/kiosk/"


# The phone


def on_the_phone(page: dict[str, Any]) -> tuple[FakeRpc, Door]:
    return at("onehall_session", {"identity.answer_device": page})


def test_the_phone_shows_what_and_where_as_text() -> None:
    rpc, door = on_the_phone(CONFIRM)
    page = door.get("/device?user_code=BCDF-GHJK")
    assert "&lt;script&gt;Hall" in page.text
    assert "<script>" not in page.text
    assert rpc.of("identity.answer_device") == [("s-1", "BCDF-GHJK", None)]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_the_phone_names_the_kiosk_in_the_readers_language() -> None:
    _, door = on_the_phone(CONFIRM | {"client_id": "kiosk", "client": "自助终端"})
    assert "self-service kiosk" in door.get("/device?user_code=BCDF-GHJK", headers=PAGE).text


def test_only_a_post_decides() -> None:
    rpc, door = on_the_phone({"page": "done", "decision": "approved", "device_name": None})
    door.get("/device?user_code=BCDF-GHJK&decision=allow")
    door.post("/device", data={"user_code": "BCDF-GHJK", "decision": "maybe"})
    door.post("/device", data={"user_code": "BCDF-GHJK", "decision": "allow"})
    assert [decision for _, _, decision in rpc.of("identity.answer_device")] == [None, None, "allow"]


def test_another_sites_page_decides_nothing() -> None:
    rpc, door = on_the_phone(CONFIRM)
    allow = {"user_code": "BCDF-GHJK", "decision": "allow"}
    assert door.post("/device", data=allow, headers=ELSEWHERE).status_code == 403
    assert rpc.of("identity.answer_device") == []


def test_who_is_not_signed_in_comes_back_to_the_code() -> None:
    _, door = on_the_phone({"page": "login"})
    address = door.get("/device?user_code=BCDF-GHJK").headers["location"]
    assert address == "/login?next=%2Fdevice%3Fuser_code%3DBCDF-GHJK"


@pytest.mark.parametrize(("fault", "status"), [(None, 200), ("unknown", 422), ("limited", 429)])
def test_a_code_is_asked_for(fault: str | None, status: int) -> None:
    _, door = on_the_phone({"page": "enter", "fault": fault})
    page = door.post("/device", data={"user_code": '"><b>'})
    assert page.status_code == status
    assert "<b>" not in page.text


# The counter

# good for longer than all tests take: it is made before the first of them
CLERK = {"identity.get_web_session": session_of("hall", roles=["clerk"], exp=int(time.time()) + 86_400)}


def test_only_clerks_see_the_counter() -> None:
    assert at(None, {})[1].get("/hall/").headers["location"] == "/hall/login"
    for roles in ([], ["officer"], ["operator", "auditor"]):
        rpc, door = at("onehall_hall", {"identity.get_web_session": session_of("hall", roles=roles)})
        assert door.get("/hall/", headers=PAGE).status_code == 403
        assert door.post("/hall/visits", data={"id_number": "1"}, headers=PAGE).status_code == 403
        assert rpc.of("identity.prove_presence") == []
    # the session of a clerk at another channel is none of the hall
    _, door = at("onehall_hall", {"identity.get_web_session": session_of("web", roles=["clerk"])})
    assert door.get("/hall/").headers["location"] == "/hall/login"


def test_the_sign_in_of_the_hall_is_not_the_webs() -> None:
    door = make_door(FakeRpc())
    begun = door.get("/hall/login").headers["location"]
    assert "client_id=hall" in begun
    state = begun.partition("state=")[2].partition("&")[0]
    assert door.get(f"/callback?code=c&state={state}&iss={BASE}").status_code == 400


def test_a_hall_without_a_secret_of_its_own_is_closed_in_production() -> None:
    door = make_door(FakeRpc(), environment="production", base_url="https://hall.example", web_client_secret="own")
    assert door.get("/hall/login").status_code == 404


def test_a_visit_begins_with_a_card() -> None:
    proof = {"presence_token": "p-1", "expires_in": 120, "name": "张*"}
    rpc, door = at("onehall_hall", CLERK | {"identity.prove_presence": proof, "identity.open_visit": "v-1"})
    assert door.post("/hall/visits", data={"id_number": " 123 "}).headers["location"] == "/hall/visit/"
    assert rpc.of("identity.prove_presence") == [("123",)]
    assert rpc.of("identity.open_visit") == [("s-1", "p-1")]
    assert door.cookies["onehall_visit"] == "v-1"


@pytest.mark.parametrize(
    ("error", "status"), [(InvalidInput([]), 422), (NotFound("person"), 404), (TooManyAttempts(600), 429)]
)
def test_a_card_that_is_nobodys_is_not_shown_again(error: Exception, status: int) -> None:
    _, door = at("onehall_hall", CLERK | {"identity.prove_presence": error})
    page = door.post("/hall/visits", data={"id_number": "110101189001010017"})
    assert page.status_code == status
    assert "110101189001010017" not in page.text


def test_a_visit_begins_with_a_code_from_the_phone() -> None:
    answers = {
        "identity.send_presence_code": {"challenge": "c-1"},
        "identity.prove_presence_by_code": {"presence_token": "p-1", "expires_in": 120, "name": "张*"},
        "identity.open_visit": "v-1",
    }
    rpc, door = at("onehall_hall", CLERK | answers)
    page = door.post("/hall/codes", data={"phone": "13800000000"})
    assert 'value="c-1"' in page.text
    assert "13800000000" not in page.text
    begun = door.post("/hall/visits", data={"challenge": "c-1", "code": "123456"})
    assert begun.headers["location"] == "/hall/visit/"
    assert rpc.of("identity.prove_presence_by_code") == [("c-1", "123456")]
    rpc.answers["identity.prove_presence_by_code"] = InvalidInput([])
    again = door.post("/hall/visits", data={"challenge": "c-1", "code": "1"})
    assert again.status_code == 422
    assert 'value="c-1"' in again.text


def visiting(**answers: Any) -> tuple[FakeRpc, Door]:
    token = make_token(client_id="hall", channel="hall", act={"sub": "clerk-1"})
    visit = {"access_token": token, "name": "张*", "ends_at": "2026-11-01T02:03:04+00:00"}
    return at("onehall_visit", {"identity.get_visit": visit, **answers})


def test_during_a_visit_the_clerk_acts_for_the_citizen_and_sees_that() -> None:
    rpc, door = visiting(**{"cases.submit_case": CASE})
    page = door.get("/hall/visit/items/residence-permit/apply")
    assert "oh-on-behalf" in page.text
    assert "张*" in page.text
    filed = door.post("/hall/visit/items/residence-permit/apply", data={"full_name": "张三"})
    assert filed.headers["location"] == "/hall/visit/cases/OH-1?submitted=1"
    actor = next(actor for name, _, actor in rpc.calls if name == "cases.submit_case")
    assert actor is not None
    assert (actor.subject, actor.act, actor.channel) == ("sub-1", "clerk-1", "hall")


def test_nobody_rates_during_a_visit() -> None:
    _, door = visiting(**{"cases.get_case_file": CLOSED, "rating.get_rating": NotFound("rating")})
    assert "/rating" not in door.get("/hall/visit/cases/OH-1").text
    assert door.get("/hall/visit/cases/OH-1/rating").status_code == 404


def test_a_visit_ends() -> None:
    rpc, door = visiting(**{"identity.end_visit": None})
    door.get("/hall/visit/cases")
    ended = door.post("/hall/visit/end")
    assert (ended.headers["location"], forgotten(ended)) == ("/hall/", {"onehall_visit"})
    assert rpc.of("identity.end_visit") == [("s-1",)]


def test_a_visit_that_is_over_leads_to_the_counter() -> None:
    _, door = visiting(**{"identity.get_visit": SessionEnded()})
    assert door.get("/hall/visit/cases").headers["location"] == "/hall/"
    over = door.get("/hall/visit/")
    assert (over.headers["location"], forgotten(over)) == ("/hall/", {"onehall_visit"})


def test_who_leaves_the_counter_leaves_nothing() -> None:
    over = {"identity.end_visit": None, "identity.end_web_session": None, "identity.sign_out": None}
    rpc, door = at("onehall_hall", CLERK | over)
    for cookie in ("onehall_visit", "onehall_session"):
        door.cookies.set(cookie, "s-2")
    # the clerk's own pages as a citizen, in the same browser, which the next one sits at
    door.cookies.set("onehall_web", "s-3")
    left = door.post("/hall/logout")
    assert [rpc.of(name) for name in over] == [[("s-2",)], [("s-1",)], [("s-2",)]]
    assert forgotten(left) == {"onehall_hall", "onehall_visit", "onehall_session", "onehall_web"}
