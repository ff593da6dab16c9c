"""Whose address limits a request."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from chassis import context
from gateway.callers import caller_address
from tests.unit.gateway_fakes import FakeRpc, make_door, make_settings

OURS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        # nobody that we do not trust says who they are
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        # what stands before the first stranger may be invented
        ("10.0.0.1", "192.0.2.99, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", ", ,", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2," * 1_000, "10.0.0.2"),
        ("testclient", "198.51.100.1", "testclient"),
        (None, "198.51.100.1", None),
    ],
)
def test_the_last_stranger_in_the_chain_is_the_caller(peer: str | None, forwarded: str, address: str | None) -> None:
    assert caller_address(peer, forwarded, OURS) == address


def test_without_a_setting_no_header_is_believed() -> None:
    assert make_settings().proxy_networks == ()
    assert make_settings(trusted_proxies="10.0.0.0/8, fd00::/8").proxy_networks == tuple(OURS)
    with pytest.raises(ValueError, match="not appear to be"):
        make_settings(trusted_proxies="proxy.internal")


def test_the_address_goes_with_every_call() -> None:
    seen = []

    def list_items(*_: object) -> dict[str, object]:
        seen.append(context.address.get())
        return {"items": [], "next": None}

    make_door(FakeRpc({"cases.list_items": list_items})).get("/api/v1/items")
    assert seen == ["127.0.0.1"]
