"""What the gateway's tests hand in: an RPC object with set answers, settings, and a signer of access tokens."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx2
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from chassis.webhooks.addresses import HostNotFound
from contracts.actors import Actor
from gateway.app import create_app
from gateway.endpoints import Endpoints
from gateway.settings import GatewaySettings

BASE = "http://127.0.0.1:8000"
KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
OTHER_KEY = ECKey.generate_key("P-256", {"kid": "other", "use": "sig", "alg": "ES256"})

NAME = {"zh-Hans": "居住证申领", "zh-Hant": "居住證申領", "en": "Residence permit"}

ITEM = {
    "code": "residence-permit",
    "name": NAME,
    "kind": "public-service",
    "department": "civil-affairs",
    "region": "511602",
    "summary": NAME,
    "promised_days": 10,
    "day_unit": "calendar",
    "fee": {"amount": "0", "text": {"zh-Hans": "免费", "zh-Hant": "免費", "en": "Free"}},
    "legal_basis": NAME,
    "documents": [{"name": NAME, "required": False, "source": "department"}],
    "form": {
        "type": "object",
        "required": ["full_name", "ground"],
        "properties": {
            "full_name": {"x-title": {"zh-Hans": "姓名", "zh-Hant": "姓名", "en": "Full name"}, "type": "string"},
            "ground": {
                "x-title": {"zh-Hans": "事由", "zh-Hant": "事由", "en": "Ground"},
                "x-labels": {"home": {"zh-Hans": "住所", "zh-Hant": "住所", "en": "A home"}},
                "type": "string",
                "enum": ["home", "study"],
            },
            "people": {"x-title": {"zh-Hans": "人数", "zh-Hant": "人數", "en": "People"}, "type": "integer"},
            "alone": {"x-title": {"zh-Hans": "独居", "zh-Hant": "獨居", "en": "Alone"}, "type": "boolean"},
            "since": {
                "x-title": {"zh-Hans": "日期", "zh-Hant": "日期", "en": "Since"},
                "type": "string",
                "format": "date",
            },
        },
    },
    "layout": [{"title": NAME, "fields": ["full_name", "ground", "people", "alone", "since"]}],
    "example": {"full_name": "张三", "ground": "home"},
}

CASE = {
    "number": "OH-1",
    "item": "residence-permit",
    "item_name": NAME,
    "department": "civil-affairs",
    "region": "511602",
    "kind": "public-service",
    "status": "submitted",
    "decision": None,
    "channel": "web",
    "submitted_at": "2026-11-01T02:03:04+00:00",
    "updated_at": "2026-11-01T02:03:04+00:00",
    "sequence": 1,
    "form": {"full_name": "张三", "ground": "home"},
}

HISTORY = [
    {
        "sequence": 1,
        "at": "2026-11-01T02:03:04+00:00",
        "event": "case.submitted",
        "channel": "web",
        "actor": "citizen",
        "note": None,
    }
]


class FakeRpc:
    """Answers by `service.method`: a value, an error to raise, or a function of the arguments. Notes every call."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers: dict[str, Any] = DEFAULTS | (answers or {})
        self.calls: list[tuple[str, tuple[Any, ...], Actor | None]] = []
        self.reachable = True

    async def call(self, name: str, *args: Any, actor: Actor | None = None) -> Any:
        self.calls.append((name, args, actor))
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer(*args) if callable(answer) else answer

    async def can_reach_services(self) -> bool:
        return self.reachable

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of one method."""
        return [args for called, args, _ in self.calls if called == name]


def answer_jwks(*_: Any) -> dict[str, Any]:
    document = KeySet([KEY]).as_dict(private=False)
    return {"status": 200, "headers": [["Content-Type", "application/json"]], "body": json.dumps(document)}


DEFAULTS: dict[str, Any] = {
    "identity.answer_protocol": answer_jwks,
    "cases.list_drafts": {"items": [], "next": None},
    "cases.list_certificates": {"items": [], "next": None},
}
"""What pages ask for besides what their tests are about."""


def make_settings(**changes: Any) -> GatewaySettings:
    values = {
        "environment": "local",
        "base_url": BASE,
        "AMQP_URI": "amqp://nobody@127.0.0.1:1//",
        "rpc_secret": "shared-by-the-door-and-the-services",
        "identity_url": "http://127.0.0.1:11",
        "cases_url": "http://127.0.0.1:12",
        "notify_url": "http://127.0.0.1:13",
        "rating_url": "http://127.0.0.1:14",
        "cookie_key": "A" * 43,
        "files_url": "memory://files",
        "clamd": "127.0.0.1:1",
        **changes,
    }
    return GatewaySettings(**values)


def addresses_for_people(app: FastAPI, *methods: str) -> list[tuple[str, str]]:
    """(method, address with its parameters' names) of all that is not the API."""
    routes: list[Any] = []
    for route in app.routes:
        # FastAPI keeps an included router as one route, and tells what is in it
        included = getattr(route, "effective_route_contexts", None)
        routes += included() if included else [route]
    return [
        (method, route.path)
        for route in routes
        for method in sorted(getattr(route, "methods", None) or ())
        if method in methods and not route.path.startswith("/api/")
    ]


class Door:
    """A client at the application's door, with a browser's cookies. Redirects are looked at, not followed."""

    def __init__(self, app: FastAPI, base_url: str) -> None:
        self.app = app
        self.base_url = base_url
        self.cookies = httpx2.Cookies()

    def request(self, method: str, address: str, **options: Any) -> httpx2.Response:
        return asyncio.run(self._request(method, address, options))

    async def _request(self, method: str, address: str, options: dict[str, Any]) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url=self.base_url, cookies=self.cookies) as client:
            response = await client.request(method, address, **options)
            self.cookies = client.cookies
            return response

    def get(self, address: str, **options: Any) -> httpx2.Response:
        return self.request("GET", address, **options)

    def post(self, address: str, **options: Any) -> httpx2.Response:
        return self.request("POST", address, **options)


def make_door(rpc: FakeRpc, **settings: Any) -> Door:
    made = make_settings(**settings)
    app = create_app(made, rpc)
    app.state.endpoints = Endpoints(resolve, made.webhook_networks)
    return Door(app, made.base_url)


async def resolve(host: str, _: int) -> list[str]:
    """Every host is a public one but these."""
    if host == "nowhere.example":
        raise HostNotFound(host)
    return ["10.0.0.1"] if host == "inside.example" else ["192.0.1.1"]


def make_token(key: ECKey = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    now = int(time.time())
    content = {
        "iss": BASE,
        "sub": "sub-1",
        "aud": "urn:onehall:api",
        "client_id": "app",
        "scope": "openid cases",
        "channel": "app",
        "roles": [],
        "department": None,
        "iat": now,
        "exp": now + 600,
        "jti": "1",
        **claims,
    }
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **(header or {})}, content, key)


def bearer(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(**claims)}"}


def web_session(**claims: Any) -> dict[str, Any]:
    """What identity tells of a session of the web channel."""
    return {
        "client": "web",
        "access_token": make_token(client_id="web", channel="web", **claims),
        "expires_at": "2026-11-01T02:03:04+00:00",
        "subject": "sub-1",
        "name": "张三",
        "roles": claims.get("roles", []),
        "department": None,
    }
