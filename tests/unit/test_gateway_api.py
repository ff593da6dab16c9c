"""The API: which calls of services its routes make, and who may call them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from openapi_spec_validator import validate

from gateway.app import create_app
from gateway.catalogue import FRESH_SECONDS, Items
from tests.unit.gateway_fakes import CASE, ITEM, FakeRpc, bearer, make_door, make_settings

PUBLIC = {
    ("GET", "/api/v1/items"),
    ("GET", "/api/v1/items/{code}"),
    ("GET", "/api/v1/progress/{number}"),
    ("GET", "/api/v1/statistics/ratings"),
    ("GET", "/api/v1/verify/{code}"),
}
"""What may be asked without a token. Everything else of the API may not."""

RATING = {"number": "OH-1", "score": 5, "comment": None, "at": "2026-11-01T02:03:04+00:00"}
FILING = {"item": "residence-permit", "form": {"full_name": "张三"}}


def api_operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    document = create_app(make_settings(), FakeRpc()).openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def test_every_route_needs_a_token_unless_it_is_public() -> None:
    door = make_door(FakeRpc())
    for method, path, operation in api_operations():
        assert bool(operation.get("security")) != ((method, path) in PUBLIC), path
        if (method, path) not in PUBLIC:
            address = path.replace("{number}", "OH-1").replace("{name}", "permits")
            address = (
                address.replace("{entry}", "1")
                .replace("{delivery}", "1")
                .replace("{mandate}", "1")
                .replace("{draft}", "1")
                .replace("{upload}", "1")
                .replace("{file}", "1")
                .replace("{document}", "1")
                .replace("{id}", "1")
            )
            assert door.request(method, address, json=FILING).status_code == 401, (method, path)


def test_the_document_shows_the_api_and_nothing_else() -> None:
    found = {(method, path) for method, path, _ in api_operations()}
    assert found >= PUBLIC
    assert all(path.startswith("/api/v1/") for _, path in found)
    app = create_app(make_settings(), FakeRpc())
    assert {route.path for route in app.routes if isinstance(route, APIRoute)}.isdisjoint({"/docs", "/redoc"})
    validate(app.openapi())
    schemes = app.openapi()["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert all("422" not in operation["responses"] for _, _, operation in api_operations())
    assert schemes["oauth2"]["flows"]["authorizationCode"]["tokenUrl"] == "/oauth/token"


def test_filing_carries_the_callers_key_and_actor() -> None:
    rpc = FakeRpc({"cases.submit_case": CASE})
    response = make_door(rpc).post("/api/v1/cases", json=FILING, headers=bearer() | {"Idempotency-Key": "k-1"})
    assert (response.status_code, response.json()["number"]) == (201, "OH-1")
    assert response.headers["location"] == "/api/v1/cases/OH-1"
    name, args, actor = rpc.calls[-1]
    assert (name, args) == ("cases.submit_case", ("residence-permit", {"full_name": "张三"}, "k-1"))
    assert actor is not None
    assert (actor.subject, actor.channel) == ("sub-1", "app")


def test_filing_without_a_key_gets_one_of_its_own() -> None:
    rpc = FakeRpc({"cases.submit_case": CASE})
    door = make_door(rpc)
    for _ in range(2):
        assert door.post("/api/v1/cases", json=FILING, headers=bearer()).status_code == 201
    first, second = (args[2] for args in rpc.of("cases.submit_case"))
    assert first
    assert first != second


def test_an_action_is_passed_on() -> None:
    rpc = FakeRpc({"cases.act_on_case": CASE})
    response = make_door(rpc).post(
        "/api/v1/cases/OH-1/actions", json={"action": "refuse", "note": "no"}, headers=bearer()
    )
    assert response.status_code == 200
    assert rpc.of("cases.act_on_case") == [("OH-1", "refuse", "no", None)]


def test_a_rating_shows_the_service_the_case_as_its_actor_sees_it() -> None:
    rpc = FakeRpc({"cases.get_case": CASE, "rating.rate_case": RATING, "rating.get_rating": RATING})
    door = make_door(rpc)
    given = door.post("/api/v1/cases/OH-1/rating", json={"score": 5}, headers=bearer())
    assert (given.status_code, given.json()) == (201, RATING)
    assert rpc.of("rating.rate_case") == [(CASE, 5, None)]
    assert door.get("/api/v1/cases/OH-1/rating", headers=bearer()).json() == RATING


def test_the_catalogue_is_asked_once_a_second() -> None:
    rpc = FakeRpc({"cases.get_item": ITEM, "cases.list_items": {"items": [ITEM], "next": None}})
    door, now = make_door(rpc), [0.0]
    door.app.state.items = Items(rpc, lambda: now[0])
    for _ in range(3):
        assert door.get("/api/v1/items/residence-permit").json()["example"]
        assert door.get("/api/v1/items?q=permit&department=civil-affairs").json()["next"] is None
    assert rpc.of("cases.get_item") == [("residence-permit",)]
    assert rpc.of("cases.list_items") == [("permit", "civil-affairs", None, None, 20, None, None, False)]
    now[0] += FRESH_SECONDS
    door.get("/api/v1/items/residence-permit")
    assert len(rpc.of("cases.get_item")) == 2


def test_the_catalogue_is_searched_with_filters() -> None:
    rpc = FakeRpc({"cases.list_items": {"items": [], "next": None, "total": 0, "did_you_mean": None}})
    answer = make_door(rpc).get("/api/v1/items?q=x&kind=licence&audience=organisation&online=true&cursor=abc&limit=5")
    assert answer.json() == {"items": [], "next": None, "total": 0, "did_you_mean": None}
    assert rpc.of("cases.list_items") == [("x", None, "licence", "abc", 5, "organisation", True, False)]
    assert make_door(rpc).get("/api/v1/items?audience=everybody").status_code == 422


@pytest.mark.parametrize(
    ("method", "address", "call", "arguments", "status"),
    [
        ("GET", "/api/v1/cases?cursor=c&limit=7", "cases.list_cases", ("c", 7), 200),
        ("GET", "/api/v1/cases/OH-1", "cases.get_case", ("OH-1",), 200),
        ("GET", "/api/v1/cases/OH-1/history", "cases.get_history", ("OH-1",), 200),
        ("GET", "/api/v1/inbox", "notify.list_inbox", (None, 20), 200),
        ("GET", "/api/v1/cases/OH-1?purpose=complaint", "cases.get_case", ("OH-1", "complaint"), 200),
        ("GET", "/api/v1/access-log?number=1", "identity.list_access_log", (None, "1", None, 20), 200),
        ("POST", "/api/v1/inbox/12/read", "notify.mark_read", ("12",), 204),
        ("GET", "/api/v1/preferences", "notify.get_preferences", (), 200),
        ("GET", "/api/v1/statistics/ratings?item=i", "rating.get_statistics", ("i", None), 200),
    ],
)
def test_a_read_is_one_call(method: str, address: str, call: str, arguments: tuple[Any, ...], status: int) -> None:
    rpc = FakeRpc({call: {"items": [], "next": None}})
    assert make_door(rpc).request(method, address, headers=bearer()).status_code == status
    assert rpc.of(call) == [arguments]


def test_preferences_are_saved_whole() -> None:
    rpc = FakeRpc({"notify.set_preferences": None})
    door = make_door(rpc)
    chosen = {"locale": "zh-Hant", "channels": ["mail"]}
    assert door.request("PUT", "/api/v1/preferences", json=chosen, headers=bearer()).json() == chosen
    wrong = door.request("PUT", "/api/v1/preferences", json={"locale": "fr", "channels": ["sms"]}, headers=bearer())
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"/locale", "/channels/0"}


def test_codes_need_their_own_scope() -> None:
    rpc = FakeRpc({"identity.get_codes": {"a": {"code": "123456"}}, "identity.confirm_codes_sent": None})
    door = make_door(rpc)
    asked = {"challenges": ["a"]}
    assert door.post("/api/v1/codes", json=asked, headers=bearer(scope="contacts")).status_code == 403
    assert door.post("/api/v1/codes/sent", json=asked, headers=bearer()).status_code == 403
    assert door.post("/api/v1/codes", json=asked, headers=bearer(scope="codes")).json()["a"]["code"] == "123456"
    assert door.post("/api/v1/codes/sent", json=asked, headers=bearer(scope="codes")).status_code == 204
    assert rpc.of("identity.get_codes") == rpc.of("identity.confirm_codes_sent") == [(["a"],)]


def test_contacts_need_their_own_scope() -> None:
    rpc = FakeRpc({"identity.get_contacts": {"a": {"email": "a@example.org", "locale": "en", "name": "A"}}})
    door = make_door(rpc)
    assert door.post("/api/v1/contacts", json={"subjects": ["a"]}, headers=bearer()).status_code == 403
    given = door.post("/api/v1/contacts", json={"subjects": ["a"]}, headers=bearer(scope="contacts"))
    assert given.json()["a"]["email"] == "a@example.org"
    assert rpc.of("identity.get_contacts") == [(["a"],)]


def test_who_is_told_of_a_case_works_where_they_see_it() -> None:
    staff = [{"subject": "a", "hall": None}, {"subject": "b", "hall": "here"}, {"subject": "c", "hall": "elsewhere"}]
    rpc = FakeRpc({"identity.list_staff_of": staff, "cases.list_halls_without": ["elsewhere"]})
    door = make_door(rpc)
    asked = {"role": "supervisor", "department": "civil-affairs", "region": "511602"}
    assert door.post("/api/v1/contacts/staff", json=asked, headers=bearer()).status_code == 403
    given = door.post("/api/v1/contacts/staff", json=asked, headers=bearer(scope="contacts"))
    assert given.json() == ["a", "b"]
    assert rpc.of("identity.list_staff_of") == [("supervisor", "civil-affairs")]
    given = door.post("/api/v1/contacts/staff", json={"role": "operator"}, headers=bearer(scope="contacts"))
    assert given.json() == ["a", "b", "c"]
    assert rpc.of("cases.list_halls_without") == [("511602",)]
