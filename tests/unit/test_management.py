"""Calls of the broker's management plugin."""

import base64

import httpx2
import pytest

from chassis import management


def test_the_account_travels_in_a_header_and_stands_in_no_error() -> None:
    with management.client("http://relay-cases:s%2Fecret@broker.example:15672", 1) as client:
        request = client.build_request("GET", "/api/queues")
        signed = next(client.auth.sync_auth_flow(request)) if client.auth else request
        refused = httpx2.Response(401, request=signed)
        with pytest.raises(httpx2.HTTPStatusError) as caught:
            refused.raise_for_status()
    assert base64.b64decode(signed.headers["Authorization"].removeprefix("Basic ")) == b"relay-cases:s/ecret"
    assert (signed.url.host, signed.url.port, signed.url.path) == ("broker.example", 15672, "/api/queues")
    assert "ecret" not in repr(caught.value) + str(caught.value)


def test_an_address_without_an_account_sends_none() -> None:
    with management.client("http://broker.example:15672", 1) as client:
        assert client.auth is None
