from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator

import httpx2
import pytest

from services.notify.directory import Contact, Directory, DirectoryUnavailable

WANG = {"email": "wang@example.org", "locale": "zh-Hant", "name": "Wang"}
NAME = {"zh-Hans": "老年人优待证", "zh-Hant": "敬老優待證", "en": "Elderly concession card"}


class Api:
    """The gateway, as far as notify asks it."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.status: dict[str, int] = {}
        self.valid_token = "token-1"
        self.refused_subjects: set[str] = set()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.calls[path] += 1
        if path in self.status:
            return httpx2.Response(self.status[path])
        return {
            "/.well-known/openid-configuration": self._configuration,
            "/oauth/token": self._token,
            "/api/v1/contacts": self._contacts,
            "/api/v1/contacts/staff": self._staff,
        }.get(path, self._item)(request)

    def _configuration(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"token_endpoint": "https://hall.example/oauth/token"})

    def _token(self, request: httpx2.Request) -> httpx2.Response:
        assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"notify:s%2Fcret"
        assert request.content == b"grant_type=client_credentials&scope=contacts+codes"
        return httpx2.Response(200, json={"access_token": self.valid_token, "expires_in": 600})

    def _contacts(self, request: httpx2.Request) -> httpx2.Response:
        if request.headers["Authorization"] != f"Bearer {self.valid_token}":
            return httpx2.Response(401)
        subjects = json.loads(request.content)["subjects"]
        if self.refused_subjects & set(subjects):
            return httpx2.Response(422)
        return httpx2.Response(200, json={subject: WANG for subject in subjects if subject != "gone"})

    def _staff(self, request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        return httpx2.Response(200, json=["dan"] if asked["department"] == "parks" else [])

    def _item(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"code": "elderly-card", "name": NAME})


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(api: Api, clock: Clock) -> Iterator[Directory]:
    with httpx2.Client(base_url="http://gateway", transport=httpx2.MockTransport(api)) as http:
        yield Directory(http, "s/cret", clock)


def test_one_call_finds_all(directory: Directory, api: Api) -> None:
    found = directory.contacts({"a", "b", "gone"})
    assert found == dict.fromkeys(("a", "b"), Contact("wang@example.org", "zh-Hant", "Wang"))
    assert api.calls["/api/v1/contacts"] == 1


def test_the_token_is_used_until_a_minute_before_its_end(directory: Directory, api: Api, clock: Clock) -> None:
    directory.contacts({"a"})
    clock.seconds += 539
    directory.contacts({"a"})
    assert api.calls["/oauth/token"] == 1
    clock.seconds += 2
    directory.contacts({"a"})
    assert api.calls["/oauth/token"] == 2


def test_a_refused_token_is_replaced_once(directory: Directory, api: Api) -> None:
    directory.contacts({"a"})
    api.valid_token = "token-2"
    assert "a" in directory.contacts({"a"})
    assert api.calls["/oauth/token"] == 2


def test_who_works_in_a_role_is_asked_each_time(api: Api, directory: Directory) -> None:
    assert directory.staff_of("supervisor", "parks", "511602") == ["dan"]
    assert directory.staff_of("operator", None, None) == []
    api.status["/api/v1/contacts/staff"] = 503
    with pytest.raises(DirectoryUnavailable):
        directory.staff_of("supervisor", "parks", "511602")


@pytest.mark.parametrize("path", ["/oauth/token", "/api/v1/contacts", "/.well-known/openid-configuration"])
@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_an_api_that_refuses_is_unavailable(directory: Directory, api: Api, path: str, status: int) -> None:
    api.status[path] = status
    with pytest.raises(DirectoryUnavailable):
        directory.contacts({"a"})


def test_one_malformed_subject_does_not_keep_the_others_back(directory: Directory, api: Api) -> None:
    api.refused_subjects = {"c"}
    assert set(directory.contacts({"a", "b", "c", "d", "e"})) == {"a", "b", "d", "e"}


def test_names_are_kept_five_minutes(directory: Directory, api: Api, clock: Clock) -> None:
    assert directory.item_names("elderly-card") == NAME
    clock.seconds += 299
    directory.item_names("elderly-card")
    assert api.calls["/api/v1/items/elderly-card"] == 1
    clock.seconds += 2
    directory.item_names("elderly-card")
    assert api.calls["/api/v1/items/elderly-card"] == 2


def test_old_names_outlive_an_api_that_is_down(directory: Directory, api: Api, clock: Clock) -> None:
    directory.item_names("elderly-card")
    api.status["/api/v1/items/elderly-card"] = 503
    clock.seconds += 301
    assert directory.item_names("elderly-card") == NAME
    # and a reader of the inbox does not wait for it once more
    directory.item_names("other")
    assert api.calls["/api/v1/items/other"] == 0


def test_an_item_that_is_gone_has_no_names(directory: Directory, api: Api) -> None:
    api.status["/api/v1/items/gone"] = 404
    assert directory.item_names("gone") == {}
    assert directory.item_names("elderly-card") == NAME


def test_locale_of_an_account(directory: Directory, api: Api) -> None:
    assert directory.locale_of("a") == "zh-Hant"
    assert directory.locale_of("gone") == "zh-Hans"
    api.status["/api/v1/contacts"] = 503
    assert directory.locale_of("a") == "zh-Hans"
