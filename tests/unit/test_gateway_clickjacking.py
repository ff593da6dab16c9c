"""No page of ours is shown inside another site's, or leads to one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import SessionEnded, SignInRefused
from gateway.app import create_app
from gateway.content_policy import policy_for_redirect
from tests.unit.gateway_fakes import FakeRpc, addresses_for_people, make_door, make_settings

NEVER_FRAMED = "frame-ancestors 'none'"


def pages() -> list[tuple[str, str]]:
    """Every address for people, with both ways to ask for it."""
    app = create_app(make_settings(), FakeRpc())
    found = [(method, re.sub(r"\{[^}]*\}", "x", path)) for method, path in addresses_for_people(app, "GET", "POST")]
    assert len(found) > 40
    return found


@pytest.mark.parametrize(("method", "address"), pages())
def test_no_page_is_framed(method: str, address: str) -> None:
    refusals = {name: SignInRefused() for name in ("identity.sign_in",)}
    rpc = AnyRpc(refusals)
    answer = make_door(rpc).request(method, address, headers={"Accept": "text/html"})
    assert NEVER_FRAMED in answer.headers["content-security-policy"]
    assert answer.status_code != 500, "a fault of ours, which nobody looked at"


class AnyRpc(FakeRpc):
    """Nobody is signed in, and nothing else is answered."""

    async def call(self, name, *args, actor=None):
        if name in self.answers:
            return await super().call(name, *args, actor=actor)
        raise SessionEnded


@given(st.one_of(st.none(), st.text(), st.from_regex(r"https?://[a-z0-9.;' -]{1,20}(:\d+)?/?", fullmatch=True)))
def test_no_address_of_a_client_takes_the_protection_away(address: str | None) -> None:
    policy = policy_for_redirect(address)
    assert policy.count("frame-ancestors") == 1
    assert NEVER_FRAMED in policy


@pytest.mark.parametrize("query", ["", "?next=https://evil.example", "?post_logout_redirect_uri=//evil.example"])
def test_a_sign_out_leads_to_our_own_page(query: str) -> None:
    answer = make_door(FakeRpc()).post(f"/logout{query}", data={"next": "https://evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/signed-out")
