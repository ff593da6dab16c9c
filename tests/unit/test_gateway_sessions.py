"""The page of one's own sessions and apps, and what a browser is called there."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import SessionEnded
from gateway.browsers import name_of
from tests.unit.gateway_fakes import Door, FakeRpc, make_door, web_session

THIS = {
    "id": "sid-1",
    "is_this": True,
    "browser": "Firefox, Windows",
    "signed_in_at": "2026-11-24T01:00:00Z",
    "seen_at": "2026-11-24T02:00:00Z",
}
OTHER = THIS | {"id": "sid-2", "is_this": False, "browser": None}
APP = {
    "client": "rp<1>",
    "name": "A <shop>",
    "since": "2026-11-01T01:00:00Z",
    "scopes": ["profile"],
    "is_lasting": True,
}
PAGE, END = "/account/sessions", "/account/sessions/end"
SAME = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}


def door_with(**answers: Any) -> tuple[FakeRpc, Door]:
    known = {"identity.list_sessions": {"sessions": [THIS, OTHER], "apps": [APP]}}
    ends = {f"identity.{name}": None for name in ("end_session", "end_other_sessions", "end_app")}
    rpc = FakeRpc({"identity.get_web_session": web_session(), **known, **ends, **answers})
    door = make_door(rpc)
    door.cookies.set("onehall_web", "w-1")
    door.cookies.set("onehall_session", "s-1")
    return rpc, door


def test_one_sees_where_one_is_signed_in_and_who_may_what() -> None:
    rpc, door = door_with()
    page = door.get(PAGE, headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "Firefox on Windows" in page.text
    assert "This browser" in page.text
    assert "A browser that does not say which one it is" in page.text
    assert "A &lt;shop&gt;" in page.text
    assert "read your name" in page.text
    assert "s-1" not in page.text, "the secret"
    assert rpc.of("identity.list_sessions") == [("s-1",)]


@pytest.mark.parametrize(
    ("posted", "call", "arguments"),
    [
        ({"what": "session", "id": "sid-2"}, "end_session", ("s-1", "sid-2")),
        ({"what": "others"}, "end_other_sessions", ("s-1",)),
        ({"what": "app", "id": "rp<1>"}, "end_app", ("s-1", "rp<1>")),
    ],
)
def test_one_is_asked_before_something_ends(posted: dict[str, str], call: str, arguments: tuple[str, ...]) -> None:
    rpc, door = door_with()
    asked = door.post(END, data=posted, headers=SAME)
    assert asked.status_code == 200
    assert 'name="sure" value="yes"' in asked.text
    assert not rpc.of(f"identity.{call}")
    done = door.post(END, data=posted | {"sure": "yes"}, headers=SAME)
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?told={posted['what']}")
    assert rpc.of(f"identity.{call}") == [arguments]
    # this process asks identity anew who is signed in
    before = len(rpc.of("identity.get_web_session"))
    door.get(PAGE)
    assert len(rpc.of("identity.get_web_session")) == before + 1


@pytest.mark.parametrize(
    "posted",
    [{}, {"what": "all"}, {"what": "session", "id": "sid-9"}, {"what": "session", "id": "sid-1"}, {"what": "app"}],
)
def test_what_is_not_there_is_not_asked_for(posted: dict[str, str]) -> None:
    _, door = door_with()
    response = door.post(END, data=posted, headers=SAME)
    assert (response.status_code, response.headers["location"]) == (303, PAGE)


def test_another_site_ends_nothing() -> None:
    rpc, door = door_with()
    posted = {"what": "others", "sure": "yes"}
    assert door.post(END, data=posted, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert not rpc.of("identity.end_other_sessions")


def test_who_is_signed_out_meanwhile_signs_in_and_comes_back() -> None:
    _, door = door_with(**{"identity.list_sessions": SessionEnded()})
    response = door.get(PAGE)
    assert response.status_code == 303
    assert "next=%2Faccount%2Fsessions" in response.headers["location"]


def test_a_sign_in_says_which_browser_it_was() -> None:
    session = {"session": "s-2", "subject": "sub-1", "max_age": 60}
    rpc, door = door_with(**{"identity.sign_in": session, "identity.answer_second_factor": session})
    door.cookies.set("onehall_pending", "p-1")
    said = SAME | {"User-Agent": GALAXY}
    door.post("/login", data={"username": "anna", "password": "x"}, headers=said)
    door.post("/login/second", data={"kind": "totp", "code": "123456"}, headers=said)
    calls = [*rpc.of("identity.sign_in"), *rpc.of("identity.answer_second_factor")]
    assert len(calls) == 2
    assert all("Samsung Internet, Android" in arguments for arguments in calls)


CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) {}Safari/537.36"
SAFARI = "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) {}"
WINDOWS = "Windows NT 10.0; Win64; x64"
GALAXY = CHROME.format("Linux; Android 15; SM-S931B", "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile ")
WECHAT = SAFARI.format("iPhone; CPU iPhone OS 18_6 like Mac OS X", "Mobile/15E148 MicroMessenger/8.0.60(0x18003c2d)")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (f"Mozilla/5.0 ({WINDOWS}; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Windows"),
        (CHROME.format(WINDOWS, "Chrome/140.0.0.0 "), "Chrome, Windows"),
        (CHROME.format(WINDOWS, "Chrome/140.0.0.0 ") + " Edg/140.0.0.0", "Edge, Windows"),
        (CHROME.format("Phone; OpenHarmony 5.0", "ArkWeb/4.1 Mobile HuaweiBrowser/5.1 "), "Huawei Browser, HarmonyOS"),
        (CHROME.format("X11; CrOS x86_64 14541.0.0", "Chrome/140.0.0.0 "), "Chrome, ChromeOS"),
        (GALAXY, "Samsung Internet, Android"),
        (WECHAT, "WeChat, iPhone"),
        (SAFARI.format("Macintosh; Intel Mac OS X 10_15_7", "Version/18.6 Safari/605.1.15"), "Safari, macOS"),
        ("curl/8.5.0", None),
        ("", None),
        (None, None),
        ("<script>Firefox</script>", None),
    ],
)
def test_a_browser_is_called_by_what_it_says(said: str | None, name: str | None) -> None:
    assert name_of(said) == name
