"""The API of subscriptions: who may call it, what it passes on, and what it refuses itself."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import AgreementNeeded, InvalidInput, ReplayTooSoon, TooManySubscriptions, TooManyWaiting
from tests.unit.gateway_fakes import FakeRpc, bearer, make_door

SUBSCRIPTIONS = "/api/v1/subscriptions"
SUBSCRIPTION = {"name": "permits", "queue": "dept.civil-affairs.permits"}
CREATE = "cases.create_subscription"


def program(**claims: Any) -> dict[str, str]:
    return bearer(
        **{"sub": "dept", "client_id": "dept", "scope": "cases events", "department": "civil-affairs", **claims}
    )


def test_a_subscription_is_asked_for_as_it_is_written() -> None:
    rpc = FakeRpc({CREATE: SUBSCRIPTION})
    parts = {"types": ["case.closed"], "departments": "*"}
    body = {
        "name": "permits",
        "filter": parts,
        "delivery": "webhook",
        "url": "https://a.example/",
        "start": "beginning",
    }
    response = make_door(rpc).post(SUBSCRIPTIONS, json=body, headers=program())
    assert (response.status_code, response.json()) == (201, SUBSCRIPTION)
    assert response.headers["location"] == f"{SUBSCRIPTIONS}/permits"
    expected = (
        "permits",
        {"types": ["case.closed"], "departments": ["*"]},
        "webhook",
        "https://a.example/",
        "beginning",
    )
    assert rpc.of(CREATE) == [expected]


def test_what_is_left_out_is_left_to_the_service() -> None:
    rpc = FakeRpc({CREATE: SUBSCRIPTION})
    assert make_door(rpc).post(SUBSCRIPTIONS, json={"name": "permits"}, headers=program()).status_code == 201
    assert rpc.of(CREATE) == [("permits", {}, "amqp", None, "now")]


def test_whom_the_token_speaks_for_goes_along() -> None:
    rpc = FakeRpc({"cases.list_subscriptions": {"items": [], "next": None}})
    headers = program(department=None, organisation="hospital")
    assert make_door(rpc).get(SUBSCRIPTIONS, headers=headers).status_code == 200
    _, _, actor = rpc.calls[-1]
    assert actor is not None
    assert (actor.department, actor.organisation, actor.scopes) == (None, "hospital", ("cases", "events"))


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "events"}, 200),
        ({"scope": "cases"}, 403),
        ({"scope": "cases", "sub": "dan", "client_id": "web", "roles": ["officer"]}, 200),
        ({"scope": "openid", "sub": "dan", "client_id": "web", "roles": ["officer"]}, 403),
        ({"scope": "cases", "sub": "carol", "client_id": "hall", "roles": ["clerk"]}, 403),
        ({"scope": "cases", "sub": "alice", "client_id": "web", "department": None}, 403),
    ],
)
def test_the_scope_opens_the_door_and_an_officer_needs_less(claims: dict[str, Any], status: int) -> None:
    rpc = FakeRpc({"cases.list_subscriptions": {"items": [], "next": None}})
    response = make_door(rpc).get(SUBSCRIPTIONS, headers=program(**claims))
    assert response.status_code == status
    if status == 403:
        challenge = response.headers["www-authenticate"]
        assert challenge == 'Bearer realm="onehall", error="insufficient_scope", scope="events"'
        assert rpc.of("cases.list_subscriptions") == []


@pytest.mark.parametrize(
    ("method", "address", "body", "call", "arguments", "status"),
    [
        ("GET", "?cursor=c&limit=7", None, "cases.list_subscriptions", ("c", 7), 200),
        ("GET", "/permits", None, "cases.get_subscription", ("permits",), 200),
        ("DELETE", "/permits", None, "cases.end_subscription", ("permits",), 204),
        ("GET", "/permits/replays", None, "cases.list_replays", ("permits", None, 20), 200),
        (
            "POST",
            "/permits/replays",
            {"from": "beginning"},
            "cases.replay_subscription",
            ("permits", "beginning", None),
            202,
        ),
    ],
)
def test_a_route_is_one_call(
    method: str, address: str, body: Any, call: str, arguments: tuple[Any, ...], status: int
) -> None:
    rpc = FakeRpc({call: {"items": [], "next": None}})
    response = make_door(rpc).request(method, SUBSCRIPTIONS + address, json=body, headers=program())
    assert response.status_code == status
    assert rpc.of(call) == [arguments]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/name"}),
        ({"name": 7}, {"/name"}),
        ({"name": "n" * 41}, {"/name"}),
        ({"name": "a", "type": "case.closed"}, {"/type"}),
        ({"name": "a", "filter": {"type": "case.closed", "itmes": []}}, {"/filter/type", "/filter/itmes"}),
        ({"name": "a", "filter": {"items": [], "kinds": None}}, {"/filter/items", "/filter/kinds"}),
        ({"name": "a", "filter": {"items": ["x"] * 51}}, {"/filter/items"}),
        ({"name": "a", "filter": {"items": ["ok", 7, "x" * 65, ""]}}, {f"/filter/items/{n}" for n in (1, 2, 3)}),
        ({"name": "a", "delivery": {"webhook": {}}}, {"/delivery"}),
        ({"name": "a", "start": None}, {"/start"}),
        ({"name": "a\0", "start": "\0"}, {"/name", "/start"}),
    ],
)
def test_a_wrong_request_is_told_every_wrong_place(body: Any, pointers: set[str]) -> None:
    rpc = FakeRpc({CREATE: SUBSCRIPTION})
    response = make_door(rpc).post(SUBSCRIPTIONS, json=body, headers=program())
    assert response.status_code == 422
    assert {error["pointer"] for error in response.json()["errors"]} == pointers
    assert rpc.of(CREATE) == []


@pytest.mark.parametrize("body", [{}, {"from": None}, {"from": "x" * 41}, {"from": "beginning", "to": "now"}])
def test_a_wrong_range_is_refused(body: Any) -> None:
    rpc = FakeRpc({"cases.replay_subscription": {}})
    response = make_door(rpc).post(f"{SUBSCRIPTIONS}/permits/replays", json=body, headers=program())
    assert response.status_code == 422
    assert rpc.of("cases.replay_subscription") == []


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (AgreementNeeded(["market-regulation"]), 403, {"departments": ["market-regulation"]}),
        (TooManySubscriptions(100), 409, {"limit": 100}),
        (TooManyWaiting(100_000), 409, {"limit": 100_000}),
        (ReplayTooSoon(60), 409, {"seconds": 60}),
    ],
)
def test_a_refusal_says_what_it_is_about(error: Exception, status: int, said: dict[str, Any]) -> None:
    response = make_door(FakeRpc({CREATE: error})).post(SUBSCRIPTIONS, json={"name": "a"}, headers=program())
    assert response.status_code == status
    assert response.json().items() >= said.items()


def test_a_type_that_is_another_sources_own_is_told_what_tells_the_same() -> None:
    fault = {"pointer": "/filter/types/0", "rule": "notSubscribable", "value": ["case.rated"]}
    door = make_door(FakeRpc({CREATE: InvalidInput([fault])}))
    response = door.post(SUBSCRIPTIONS, json={"name": "a"}, headers=program() | {"Accept-Language": "en"})
    (error,) = response.json()["errors"]
    assert error["pointer"] == "/filter/types/0"
    assert "case.rated" in error["detail"]
