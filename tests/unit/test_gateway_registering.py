"""The pages of registering, of one's level, of one's data and of leaving."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.errors import InvalidInput, NotFound, ServiceUnavailable, SignInRefused, TooManyAttempts, UsernameTaken
from gateway.own_data import MOST_PAGES
from gateway.sessions import CLERK
from tests.unit.gateway_fakes import BASE, Door, FakeRpc, make_door, web_session

FORM = {"origin": BASE, "accept": "text/html"}
PASSWORD = "my password 1"
ASSURANCE = {"level": 1, "id_number": "1101**********0016", "changes": [], "registry": True}


def registering(**answers: Any) -> tuple[Door, FakeRpc]:
    rpc = FakeRpc({f"identity.{name}": answer for name, answer in answers.items()})
    door = make_door(rpc)
    door.cookies.set("onehall_registration", "secret")
    return door, rpc


def test_three_steps_lead_to_an_account() -> None:
    answers = {"begin_registration": "secret", "prove_registration": ["email", "phone"], "register_person": None}
    door, rpc = registering(**answers)
    response = door.post("/register", data={"email": "a@example.org", "phone": "13812345678"}, headers=FORM)
    assert response.headers["location"] == "/register/codes"
    assert "HttpOnly" in response.headers["set-cookie"]
    response = door.post("/register/codes", data={"email": "123456", "phone": "654321"}, headers=FORM)
    assert response.headers["location"] == "/register/details"
    said = {"name": "张三", "id_number": "x", "username": "zhang", "password": f" {PASSWORD} "}
    response = door.post("/register/details", data=said, headers=FORM)
    assert response.headers["location"] == "/register/done"
    assert rpc.of("identity.begin_registration") == [("a@example.org", "13812345678", "zh-Hans")]
    assert rpc.of("identity.register_person") == [("secret", said)], "a password is taken as it was typed"


def test_what_is_wrong_is_said_at_its_field_and_no_page_holds_the_password() -> None:
    faults = [{"pointer": "/id_number", "rule": "format", "value": "id_number"}]
    door, _ = registering(register_person=InvalidInput(faults))
    said = {"name": "张三", "id_number": "123", "username": "zhang", "password": PASSWORD}
    response = door.post("/register/details", data=said, headers=FORM)
    assert response.status_code == 422
    assert 'id="id_number-fault"' in response.text
    assert 'value="zhang"' in response.text
    assert PASSWORD not in response.text


def test_a_taken_name_is_said_at_its_field() -> None:
    door, _ = registering(register_person=UsernameTaken("zhang"))
    assert 'id="username-fault"' in door.post("/register/details", data={"username": "zhang"}, headers=FORM).text


def test_only_the_code_that_is_missing_is_asked_again() -> None:
    door, _ = registering(prove_registration=["email"])
    response = door.post("/register/codes", data={"email": "123456", "phone": "0"}, headers=FORM)
    assert response.status_code == 422
    assert 'id="phone"' in response.text
    assert 'id="email"' not in response.text


@pytest.mark.parametrize("step", ["codes", "codes/again", "details"])
def test_who_took_too_long_begins_anew(step: str) -> None:
    over = NotFound("registration")
    door, _ = registering(prove_registration=over, send_registration_codes=over, register_person=over)
    response = door.post(f"/register/{step}", data={}, headers=FORM)
    assert response.headers["location"] == "/register?over=1"
    assert door.get("/register?over=1").status_code == 200


@pytest.mark.parametrize("step", ["codes", "details"])
def test_no_step_without_the_one_before(step: str) -> None:
    assert make_door(FakeRpc()).get(f"/register/{step}").headers["location"] == "/register?over=1"


def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    door, _ = registering(begin_registration=TooManyAttempts(29), send_registration_codes=TooManyAttempts(29))
    for address in ("/register", "/register/codes/again"):
        response = door.post(address, data={"email": "a@example.org", "phone": "1"}, headers=FORM)
        assert response.status_code == 429
        assert "29" in response.text


def test_another_site_registers_nobody() -> None:
    door, rpc = registering(register_person=None)
    response = door.post("/register/details", data={}, headers=FORM | {"origin": "https://evil.example"})
    assert response.status_code == 403
    assert rpc.of("identity.register_person") == []


def own(**answers: Any) -> tuple[Door, FakeRpc]:
    known = {"get_web_session": web_session(), "get_assurance": ASSURANCE, "end_web_session": None}
    rpc = FakeRpc({f"identity.{name}": answer for name, answer in (known | answers).items()})
    door = make_door(rpc)
    door.cookies.set("onehall_web", "secret")
    door.cookies.set("onehall_session", "browser")
    return door, rpc


def test_a_match_leads_back_to_what_wanted_the_level() -> None:
    door, _ = own(check_registry={"outcome": "match", "level": 2})
    back = "/account/assurance/registry?next=%2Foauth%2Fauthorize%3Fclient_id%3Dweb&level=2"
    assert door.post(back, data={}, headers=FORM).headers["location"] == "/oauth/authorize?client_id=web"
    elsewhere = door.post("/account/assurance/registry?next=https://evil.example/", data={}, headers=FORM)
    assert elsewhere.headers["location"] == "/login/start?next=%2Faccount%2Fassurance"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"outcome": "no-match", "level": 1}, 422),
        ({"outcome": "unavailable", "level": 1}, 503),
        ({"outcome": "limited", "level": 1}, 503),
        (TooManyAttempts(60), 429),
        (ServiceUnavailable("registry"), 503),
        (InvalidInput([{"pointer": "/id_number", "rule": "format", "value": "id_number"}]), 422),
    ],
)
def test_what_was_not_confirmed_is_told(answer: Any, status: int) -> None:
    door, _ = own(check_registry=answer)
    response = door.post("/account/assurance/registry", data={"id_number": "1"}, headers=FORM)
    assert response.status_code == status
    assert 'id="id_number-fault"' in response.text


def test_the_step_that_is_done_leads_on() -> None:
    door, _ = own(get_assurance=ASSURANCE | {"level": 2})
    text = door.get("/account/assurance?level=2&next=%2Foauth%2Fauthorize%3Fx%3D1", headers=FORM).text
    assert 'href="/oauth/authorize?x=1"' in text


def test_my_data_is_a_file_that_nobody_keeps() -> None:
    door, rpc = own(get_personal_data={"account": {"name": "张三"}})
    rpc.answers |= {
        "cases.list_own_waiting": [{"item": "newborn-social-card"}],
        "cases.list_own_drafts": [{"id": "d"}],
        "cases.list_own_cases": {"items": [{"number": "a"}, {"number": "b"}], "next": None},
        "rating.list_own_ratings": {"b": {"score": 5}},
        "notify.list_inbox": {"items": [{"id": "1"}], "next": "more"},
        "notify.get_preferences": {"locale": "en"},
    }
    response = door.get("/account/data.json")
    assert response.headers["content-disposition"] == 'attachment; filename="onehall.json"'
    assert "no-store" in response.headers["cache-control"]
    data = json.loads(response.text)
    assert data["account"] == {"name": "张三"}
    assert [case["rating"] for case in data["cases"]["items"]] == [None, {"score": 5}]
    assert len(data["messages"]["items"]) == MOST_PAGES
    assert data["messages"]["next"] == "more", "what is not in the file is said"
    assert data["drafts"] == [{"id": "d"}]
    assert data["preferences"] == {"locale": "en"}


def test_half_a_file_is_none() -> None:
    door, rpc = own(get_personal_data={})
    rpc.answers |= {
        "cases.list_own_cases": {"items": [], "next": None},
        "cases.list_own_waiting": [],
        "cases.list_own_drafts": [],
    }
    rpc.answers["notify.get_preferences"] = {}
    rpc.answers["notify.list_inbox"] = ServiceUnavailable("notify")
    assert door.get("/account/data.json", headers=FORM).status_code == 503


def test_an_account_is_closed_by_whoever_is_sure_and_has_the_password() -> None:
    door, rpc = own(close_account=None)
    rpc.answers["cases.discard_own_drafts"] = ServiceUnavailable("cases")
    door.cookies.set("onehall_hall", "h-1")
    assert door.post("/account/close", data={"password": PASSWORD}, headers=FORM).status_code == 422
    assert rpc.of("identity.close_account") == []
    response = door.post("/account/close", data={"password": PASSWORD, "sure": "yes"}, headers=FORM)
    assert response.headers["location"] == "/account-closed"
    assert rpc.of("identity.close_account") == [(PASSWORD,)]
    assert rpc.of("cases.discard_own_drafts") == [()], "a service that is away keeps nobody from leaving"
    ended = [each for each in response.headers.get_list("set-cookie") if "Max-Age=0" in each]
    assert {each.partition("=")[0] for each in ended} == {"onehall_web", "onehall_session", "onehall_hall"}
    assert make_door(FakeRpc()).get("/account-closed").status_code == 200


def test_a_wrong_password_closes_nothing() -> None:
    door, _ = own(close_account=SignInRefused())
    response = door.post("/account/close", data={"password": PASSWORD, "sure": "yes"}, headers=FORM)
    assert response.status_code == 422
    assert PASSWORD not in response.text


@pytest.mark.parametrize("page", ["/account/assurance", "/account/data", "/account/data.json", "/account/close"])
def test_a_page_about_me_is_for_me(page: str) -> None:
    response = make_door(FakeRpc()).get(page, headers=FORM)
    assert response.status_code == 303
    assert response.headers["location"].startswith("/login/start?next=%2Faccount")


def at_hall(answer: Any, roles: tuple[str, ...] = ("clerk",)) -> tuple[Door, FakeRpc]:
    session = web_session(roles=list(roles)) | {"client": "hall"}
    rpc = FakeRpc({"identity.get_web_session": session, "identity.raise_assurance": answer})
    door = make_door(rpc)
    door.cookies.set(CLERK, "secret")
    return door, rpc


CARD = {"username": "zhang", "id_number": "110101189101010010"}


def test_a_clerk_says_that_they_have_seen_the_card() -> None:
    door, rpc = at_hall({"name": "张*", "level": 3})
    response = door.post("/hall/assurance", data=CARD, headers=FORM)
    assert response.status_code == 200
    assert "张*" in response.text
    assert CARD["id_number"] not in response.text
    assert rpc.of("identity.raise_assurance") == [("zhang", CARD["id_number"])]


@pytest.mark.parametrize(
    ("answer", "status", "field"),
    [
        (NotFound("person"), 404, "username"),
        (InvalidInput([{"pointer": "/id_number", "rule": "unique", "value": None}]), 422, "id_number"),
        (InvalidInput([{"pointer": "/id_number", "rule": "format", "value": "id_number"}]), 422, "id_number"),
        (TooManyAttempts(600), 429, "id_number"),
    ],
)
def test_what_the_clerk_got_wrong_is_said_and_not_shown_again(answer: Any, status: int, field: str) -> None:
    door, _ = at_hall(answer)
    response = door.post("/hall/assurance", data=CARD, headers=FORM)
    assert response.status_code == status
    assert f'id="{field}-fault"' in response.text
    assert CARD["id_number"] not in response.text


def test_nobody_else_says_that() -> None:
    door, rpc = at_hall({"name": "", "level": 3}, roles=("officer",))
    for response in (
        door.get("/hall/assurance", headers=FORM),
        door.post("/hall/assurance", data=CARD, headers=FORM),
    ):
        assert response.status_code == 403
    assert rpc.of("identity.raise_assurance") == []
