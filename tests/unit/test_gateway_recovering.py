"""The pages of recovery and of "this was not me"."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InvalidInput, NotFound, SignInTooOld, TooManyAttempts
from tests.unit.gateway_fakes import BASE, Door, FakeRpc, make_door, web_session

FORM = {"origin": BASE, "accept": "text/html"}
CODE = "abcd-efgh-jkmn"
WRONG = InvalidInput([{"pointer": "/code", "rule": "code", "value": None}])
KNOWN = {
    "way": "mail",
    "wait_seconds": 86_400,
    "loses_factors": True,
    "codes": ["totp", "recovery"],
    "other": {"way": "sms", "address": "138****5678"},
    "other_sent": True,
}
NOTICE = {"change": "totp-added", "at": "2026-11-24T08:30:00+00:00", "stops_only": False}


def recovering(**answers: Any) -> tuple[Door, FakeRpc]:
    rpc = FakeRpc({f"identity.{name}": answer for name, answer in answers.items()})
    door = make_door(rpc)
    door.cookies.set("onehall_recovery", "secret")
    return door, rpc


def test_who_proves_two_things_sets_a_password_at_once() -> None:
    answers = {"prove_recovery": KNOWN, "send_other_recovery_code": None, "finish_recovery": "cookie"}
    door, rpc = recovering(begin_recovery="secret", prove_recovery_further=KNOWN | {"wait_seconds": 0}, **answers)
    response = door.post("/recover", data={"name": " anna ", "way": "mail"}, headers=FORM)
    assert response.headers["location"] == "/recover/code?way=mail"
    assert "HttpOnly" in response.headers["set-cookie"]
    assert door.post("/recover/code", data={"code": "123456"}, headers=FORM).headers["location"] == "/recover/proofs"
    door.post("/recover/proofs/code", headers=FORM)
    response = door.post("/recover/proofs", data={"kind": "sms", "code": "654321"}, headers=FORM)
    assert response.headers["location"] == "/recover/password"
    typed = {"password": " new one ", "again": " new one "}
    assert 'id="password"' in door.get("/recover/password").text
    assert door.post("/recover/password", data=typed, headers=FORM).headers["location"] == "/recover/done"
    assert rpc.of("identity.begin_recovery") == [("anna", "mail", "zh-Hans", None)]
    assert rpc.of("identity.finish_recovery") == [("secret", " new one ", None)], "a password is taken as it was typed"


def test_who_has_one_thing_is_told_how_long_and_what_would_be_sooner() -> None:
    waits = {"ready_at": "2026-11-25T08:30:00+00:00", "way": "mail"}
    door, _ = recovering(get_recovery=KNOWN, wait_for_recovery=waits)
    page = door.get("/recover/proofs", headers={"accept": "text/html"}).text
    assert all(f'value="{kind}"' in page for kind in ("sms", "totp", "recovery"))
    assert "24" in page
    assert "138****5678" in page
    assert "2026" in door.post("/recover/wait", headers=FORM).text


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/recover/code", "prove_recovery"),
        ("/recover/proofs", "prove_recovery_further"),
        ("/recover/proofs/code", "send_other_recovery_code"),
        ("/recover/wait", "wait_for_recovery"),
        ("/recover/password", "finish_recovery"),
    ],
)
def test_what_is_too_old_begins_anew(path: str, call: str) -> None:
    door, _ = recovering(**{call: NotFound("recovery")})
    response = door.post(path, data={"code": "1", "kind": "sms"}, headers=FORM)
    assert response.headers["location"] == "/recover?over=1"


def test_what_is_wrong_is_said_at_its_field() -> None:
    door, _ = recovering(
        prove_recovery=WRONG, prove_recovery_further=WRONG, get_recovery=KNOWN, begin_recovery=TooManyAttempts(120)
    )
    assert 'id="code-fault"' in door.post("/recover/code", data={"code": "1"}, headers=FORM).text
    page = door.post("/recover/proofs", data={"kind": "recovery", "code": "1"}, headers=FORM)
    assert (page.status_code, 'id="code-recovery-fault"' in page.text) == (422, True)
    assert door.post("/recover", data={"name": "anna"}, headers=FORM).status_code == 429


def test_a_link_shows_a_form_and_sets_nothing_by_being_opened() -> None:
    door, rpc = recovering(get_recovery_link=None, finish_recovery_by_link="cookie")
    page = door.get(f"/recover/link/{CODE}").text
    assert f'value="{CODE}"' in page
    assert not rpc.of("identity.finish_recovery_by_link")
    typed = {"password": "new one", "again": "another", "code": CODE}
    again = door.post("/recover/link/password", data=typed, headers=FORM)
    assert (again.status_code, f'value="{CODE}"' in again.text, "new one" in again.text) == (422, True, False)
    done = door.post("/recover/link/password", data=typed | {"again": "new one"}, headers=FORM)
    assert done.headers["location"] == "/recover/done"


@pytest.mark.parametrize("error", [NotFound("recovery"), TooManyAttempts(60)])
def test_a_link_that_is_none_is_said_to_be_none(error: Exception) -> None:
    door, _ = recovering(get_recovery_link=error, finish_recovery_by_link=error)
    assert door.get(f"/recover/link/{CODE}").status_code in (404, 429)
    typed = {"password": "a", "again": "a", "code": CODE}
    assert door.post("/recover/link/password", data=typed, headers=FORM).status_code in (404, 429)


def test_it_was_not_me_is_said_by_the_button_and_not_by_opening_the_link() -> None:
    door, rpc = recovering(get_security_notice=NOTICE, refuse_change=NOTICE)
    page = door.get(f"/not-me/{CODE}").text
    assert f'value="{CODE}"' in page
    assert door.post("/not-me", data={"code": CODE}, headers=FORM).status_code == 200
    assert not rpc.of("identity.refuse_change")
    assert "/recover" in door.post("/not-me/confirm", data={"code": CODE}, headers=FORM).text
    assert rpc.of("identity.refuse_change") == [(CODE,)]


def test_another_site_says_it_for_nobody() -> None:
    door, rpc = recovering(refuse_change=NOTICE)
    foreign = {"origin": "https://elsewhere.example"}
    assert door.post("/not-me/confirm", data={"code": CODE}, headers=foreign).status_code == 403
    assert not rpc.of("identity.refuse_change")


def test_a_code_that_is_none_is_said_to_be_none() -> None:
    door, _ = recovering(get_security_notice=NotFound("notice"), refuse_change=TooManyAttempts(60))
    assert door.get(f"/not-me/{CODE}").status_code == 404
    assert door.post("/not-me/confirm", data={"code": CODE}, headers=FORM).status_code == 429


def test_from_the_inbox_the_owner_says_it_with_a_fresh_sign_in() -> None:
    answers = {"get_own_security_notice": NOTICE, "refuse_own_change": NOTICE, "get_web_session": web_session()}
    door, rpc = recovering(**answers)
    door.cookies.set("onehall_web", "w-1")
    door.cookies.set("onehall_session", "b-1")
    assert door.get("/account/security/not-me/0f").status_code == 200
    assert door.post("/account/security/not-me/0f", headers=FORM).status_code == 200
    assert rpc.of("identity.refuse_own_change") == [("b-1", "0f")]
    door, _ = recovering(**answers | {"get_own_security_notice": SignInTooOld()})
    door.cookies.set("onehall_web", "w-1")
    assert "fresh" in door.get("/account/security/not-me/0f", headers={"accept": "text/html"}).headers["location"]


def clerk_at_the_hall(answer: Any, *roles: str) -> tuple[Door, FakeRpc]:
    session = web_session(roles=list(roles)) | {"client": "hall"}
    rpc = FakeRpc({"identity.get_web_session": session, "identity.recover_at_counter": answer})
    door = make_door(rpc)
    door.cookies.set("onehall_hall", "h-1")
    return door, rpc


def test_a_clerk_hands_over_a_code_and_the_number_is_not_shown_again() -> None:
    door, _ = clerk_at_the_hall({"name": "陈*明", "code": CODE}, "clerk")
    page = door.post("/hall/recovery", data={"id_number": "11010119900307001X"}, headers=FORM).text
    assert CODE in page
    assert "陈*明" in page
    assert "11010119900307001X" not in page
    door, _ = clerk_at_the_hall(NotFound("person"), "clerk")
    assert door.post("/hall/recovery", data={"id_number": "1"}, headers=FORM).status_code == 404


def test_who_is_no_clerk_hands_over_nothing() -> None:
    door, rpc = clerk_at_the_hall({}, "officer")
    assert door.get("/hall/recovery", headers=FORM).status_code == 403
    assert door.post("/hall/recovery", data={"id_number": "1"}, headers=FORM).status_code == 403
    assert not rpc.of("identity.recover_at_counter")


def test_an_address_is_changed_by_the_code_that_goes_there() -> None:
    answers = {"get_security": {}, "begin_address_change": "challenge", "finish_address_change": None}
    door, rpc = recovering(**answers, get_web_session=web_session())
    door.cookies.set("onehall_web", "w-1")
    door.cookies.set("onehall_session", "b-1")
    assert door.get("/account/security/address/sms").status_code == 200
    page = door.post("/account/security/address/sms", data={"address": "13812345678"}, headers=FORM).text
    assert 'value="challenge"' in page
    typed = {"challenge": "challenge", "code": "123456"}
    done = door.post("/account/security/address/sms/code", data=typed, headers=FORM)
    assert done.headers["location"] == "/account/security?done=1"
    assert rpc.of("identity.begin_address_change") == [("b-1", "phone", "13812345678")]
    assert door.get("/account/security/address/fax").status_code == 404
