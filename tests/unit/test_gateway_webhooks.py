"""The API and pages of webhooks: what they pass on, and what they refuse before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import DeliveryNotFailed, NotFound
from tests.unit.gateway_fakes import FakeRpc, bearer, make_door

SUBSCRIPTIONS = "/api/v1/subscriptions"
CREATE = "cases.create_subscription"


def program() -> dict[str, str]:
    return bearer(sub="dept", client_id="dept", scope="events", department="civil-affairs")


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://a.example/", "The address must begin with https://."),
        ("https://me:secret@a.example/", "Leave the user name and password out of the address"),
        ("https://inside.example/", "This host has an address that webhooks may not go to"),
        ("https://nowhere.example/", "This host name cannot be found."),
        ("https://a.example:22/", "Use port 443, or one from 1024 on."),
    ],
)
def test_an_address_that_webhooks_may_not_go_to_is_refused_before_anything_is_made(url: str, detail: str) -> None:
    rpc = FakeRpc({CREATE: {}})
    wanted = {"name": "hook", "delivery": "webhook", "url": url}
    response = make_door(rpc).post(SUBSCRIPTIONS, json=wanted, headers={**program(), "Accept-Language": "en"})
    (fault,) = response.json()["errors"]
    assert (response.status_code, fault["pointer"]) == (422, "/url")
    assert fault["detail"].startswith(detail)
    assert rpc.of(CREATE) == []


def test_no_host_is_looked_up_for_whom_subscribes_for_nobody_nor_for_another_delivery() -> None:
    rpc = FakeRpc({CREATE: {}})
    door = make_door(rpc)
    nobody = bearer(sub="dept", client_id="dept", scope="events")
    wanted = {"name": "hook", "delivery": "webhook", "url": "https://nowhere.example/"}
    assert door.post(SUBSCRIPTIONS, json=wanted, headers=nobody).status_code == 403
    assert rpc.of(CREATE) == []
    # cases refuses it
    assert door.post(SUBSCRIPTIONS, json=wanted | {"delivery": "amqp"}, headers=program()).status_code == 201


def test_a_network_that_was_opened_is_no_private_one() -> None:
    rpc = FakeRpc({CREATE: {"secret": "whsec_x"}})
    door = make_door(rpc, webhook_private_addresses="10.0.0.0/8")
    wanted = {"name": "hook", "delivery": "webhook", "url": "https://inside.example/"}
    assert door.post(SUBSCRIPTIONS, json=wanted, headers=program()).json()["secret"] == "whsec_x"


@pytest.mark.parametrize(
    ("method", "path", "call", "arguments", "status"),
    [
        ("GET", "webhook", "get_webhook", (), 200),
        ("GET", "attempts?limit=5", "list_attempts", (None, 5), 200),
        ("GET", "deliveries?status=failed&cursor=abc", "list_deliveries", ("failed", "abc", 20), 200),
        ("POST", "deliveries/7/retry", "retry_delivery", (7,), 202),
        ("POST", "secret", "rotate_secret", (), 201),
        ("POST", "resume", "resume_webhook", (), 204),
        ("POST", "test", "send_test", (), 202),
    ],
)
def test_each_call_is_passed_on(method: str, path: str, call: str, arguments: tuple[Any, ...], status: int) -> None:
    rpc = FakeRpc({f"cases.{call}": {"some": "answer"}})
    response = make_door(rpc).request(method, f"{SUBSCRIPTIONS}/hook/{path}", headers=program())
    assert response.status_code == status
    assert rpc.of(f"cases.{call}") == [("hook", *arguments)]
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["webhook", "attempts", "deliveries"])
def test_without_the_scope_nothing_is_told(path: str) -> None:
    headers = bearer(sub="dept", client_id="dept", scope="cases", department="civil-affairs")
    assert make_door(FakeRpc()).get(f"{SUBSCRIPTIONS}/hook/{path}", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["deliveries?status=lost", "attempts?limit=0", "attempts?limit=101"])
def test_what_cannot_be_asked_for(path: str) -> None:
    assert make_door(FakeRpc()).get(f"{SUBSCRIPTIONS}/hook/{path}", headers=program()).status_code == 422


@pytest.mark.parametrize(
    ("error", "status"), [(DeliveryNotFailed("7", "delivered"), 409), (NotFound("delivery", "7"), 404)]
)
def test_what_cannot_be_sent_again(error: Exception, status: int) -> None:
    door = make_door(FakeRpc({"cases.retry_delivery": error}))
    response = door.post(f"{SUBSCRIPTIONS}/hook/deliveries/7/retry", headers=program())
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("delivery", ["0x7", "-7", "9" * 19, "9" * 5_000])
def test_what_is_no_number_of_a_delivery_is_not_found(delivery: str) -> None:
    rpc = FakeRpc()
    response = make_door(rpc).post(f"{SUBSCRIPTIONS}/hook/deliveries/{delivery}/retry", headers=program())
    assert (response.status_code, rpc.of("cases.retry_delivery")) == (404, [])
