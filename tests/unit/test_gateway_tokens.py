"""Whose token opens the door."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from contracts.actors import MANDATE, Actor, Mandate
from contracts.errors import ServiceUnavailable, SessionEnded
from gateway.tokens import Keys, TokenRefused, Tokens
from tests.unit.gateway_fakes import BASE, CASE, KEY, OTHER_KEY, FakeRpc, bearer, make_door, make_token


def tokens_of(rpc: FakeRpc, now: float | None = None) -> Tokens:
    return Tokens(rpc, BASE, clock=lambda: now or time.time())


def unsigned(header: Any, claims: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join((*parts, ""))


def test_a_good_token_is_its_actor() -> None:
    token = make_token(roles=["officer"], department="civil-affairs", channel="hall", scope="openid cases")
    actor = asyncio.run(tokens_of(FakeRpc()).actor_of(token))
    assert actor == Actor("sub-1", "app", "hall", ("officer",), "civil-affairs", ("openid", "cases"))


LIMIT = {"type": MANDATE, "item": "elderly-card"}


def test_an_agent_comes_with_the_limits_of_the_mandate() -> None:
    for limit, mandate in ((LIMIT, Mandate(item="elderly-card")), ({"type": MANDATE, "case": "1"}, Mandate(case="1"))):
        token = make_token(act={"sub": "agent-1"}, authorization_details=[limit])
        actor = asyncio.run(tokens_of(FakeRpc()).actor_of(token))
        assert (actor.act, actor.role, actor.mandate) == ("agent-1", "agent", mandate)
        assert Actor.from_dict(actor.to_dict()) == actor


def test_who_acts_for_somebody_is_told_apart() -> None:
    token = make_token(channel="hall", client_id="hall", act={"sub": "clerk-1"})
    actor = asyncio.run(tokens_of(FakeRpc()).actor_of(token))
    assert (actor.subject, actor.act, actor.role, actor.hand) == ("sub-1", "clerk-1", "clerk", "clerk-1")
    assert Actor.from_dict(actor.to_dict()) == actor


REFUSED = {
    "limits as a word": make_token(act={"sub": "a"}, authorization_details="item"),
    "no limits in a list": make_token(act={"sub": "a"}, authorization_details=[]),
    "limits of another kind": make_token(act={"sub": "a"}, authorization_details=[{"type": "x", "item": "i"}]),
    "two limits": make_token(act={"sub": "a"}, authorization_details=[LIMIT, LIMIT]),
    "a limit and more": make_token(act={"sub": "a"}, authorization_details=[LIMIT | {"case": "1"}]),
    "a limit to nothing": make_token(act={"sub": "a"}, authorization_details=[{"type": MANDATE}]),
    "acting without a name": make_token(act={}),
    "acting as a word": make_token(act="clerk-1"),
    "acting for who acts": make_token(act={"sub": "clerk-1", "act": {"sub": "clerk-2"}}),
    "garbage": "garbage",
    "not ascii": "a.b.ü",
    "three dots": "...",
    "expired": make_token(exp=int(time.time()) - 1),
    "no expiry": make_token(exp="soon"),
    "another issuer": make_token(iss="https://elsewhere.example"),
    "another audience": make_token(aud="urn:onehall:rabbitmq"),
    "an ID token": make_token(header={"typ": "JWT"}),
    "no type": make_token(header={"typ": ""}),
    "unknown key": make_token(OTHER_KEY),
    "another's signature": make_token(OTHER_KEY, header={"kid": "one"}),
    "no algorithm": unsigned({"alg": "none", "typ": "at+jwt", "kid": "one"}, {"iss": BASE, "sub": "sub-1"}),
    "a header that is no object": unsigned([], {}),
    "critical without a list": unsigned({"alg": "ES256", "typ": "at+jwt", "kid": "one", "crit": 1}, {}),
    "unknown channel": make_token(channel="drone"),
    "public key as secret": jwt.encode(
        {"alg": "HS256", "typ": "at+jwt", "kid": "one"},
        {"iss": BASE, "sub": "sub-1"},
        OctKey.import_key(KEY.as_pem(private=False)[27:]),
        algorithms=["HS256"],
    ),
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
def test_every_other_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        asyncio.run(tokens_of(FakeRpc()).actor_of(token))


def test_a_refusal_is_a_challenge() -> None:
    door = make_door(FakeRpc({"cases.get_case": CASE}))
    missing = door.get("/api/v1/cases/OH-1")
    assert (missing.status_code, missing.headers["www-authenticate"]) == (401, 'Bearer realm="onehall"')
    expired = door.get("/api/v1/cases/OH-1", headers=bearer(exp=1))
    assert expired.status_code == 401
    assert 'error="invalid_token"' in expired.headers["www-authenticate"]
    narrow = door.get("/api/v1/cases/OH-1", headers=bearer(scope="openid"))
    assert narrow.status_code == 403
    assert 'error="insufficient_scope", scope="cases"' in narrow.headers["www-authenticate"]
    assert narrow.headers["content-type"] == "application/problem+json"
    assert door.get("/api/v1/cases/OH-1", headers={"Authorization": "Basic YTpi"}).status_code == 401


def test_who_acts_at_the_counter_is_asked_after_each_time() -> None:
    rpc = FakeRpc({"cases.get_case": {"number": "OH-1"}, "identity.get_subject": "sub-1"})
    door, token = make_door(rpc), make_token(channel="hall", client_id="hall", act={"sub": "clerk-1"})
    headers = {"Authorization": f"Bearer {token}"}
    assert door.get("/api/v1/cases/OH-1", headers=headers).status_code == 200
    # the citizen has left; the token was good a moment ago, and is remembered
    rpc.answers["identity.get_subject"] = SessionEnded()
    refused = door.get("/api/v1/cases/OH-1", headers=headers)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert len(rpc.of("identity.get_subject")) == 2
    agent = make_token(act={"sub": "agent-1"}, authorization_details=[LIMIT])
    for other in (make_token(), agent, make_token(channel="hall", client_id="hall", roles=["clerk"])):
        assert door.get("/api/v1/cases/OH-1", headers={"Authorization": f"Bearer {other}"}).status_code == 200
    assert len(rpc.of("identity.get_subject")) == 2, "nobody else's token costs a call"


def test_a_remembered_token_ends_with_its_time() -> None:
    now = [time.time()]
    tokens = Tokens(FakeRpc(), BASE, clock=lambda: now[0])
    token = make_token()
    asyncio.run(tokens.actor_of(token))
    now[0] += 601
    with pytest.raises(TokenRefused):
        asyncio.run(tokens.actor_of(token))


def test_unknown_keys_are_fetched_at_most_every_few_seconds() -> None:
    now, rpc = [100.0], FakeRpc()
    keys = Keys(rpc, BASE, clock=lambda: now[0])

    async def ask(kid: str) -> bool:
        return await keys.get(kid) is not None

    assert asyncio.run(ask("one"))
    assert not asyncio.run(ask("other"))
    assert not asyncio.run(ask("third"))
    assert len(rpc.of("identity.answer_protocol")) == 1
    now[0] += 6
    assert not asyncio.run(ask("other"))
    assert len(rpc.of("identity.answer_protocol")) == 2


def test_keys_outlive_a_short_absence_of_identity() -> None:
    now, rpc = [100.0], FakeRpc()
    keys = Keys(rpc, BASE, clock=lambda: now[0])
    asyncio.run(keys.get("one"))
    rpc.answers["identity.answer_protocol"] = ServiceUnavailable("identity")
    now[0] += 1_000
    assert asyncio.run(keys.get("one")) is not None


def test_without_any_key_nobody_is_called_a_stranger() -> None:
    rpc = FakeRpc({"identity.answer_protocol": ServiceUnavailable("identity")})
    response = make_door(rpc).get("/api/v1/cases", headers=bearer())
    assert response.status_code == 503
