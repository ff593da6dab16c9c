"""A page is fast because little is asked for it: two calls of services at most, whatever it shows."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from chassis import context
from chassis.settings import load
from cli.demo import ITEM, PASSWORD
from gateway.app import create_app
from gateway.rpc.broker import Broker
from gateway.rpc.client import Rpc
from gateway.rpc.direct import Direct
from gateway.settings import GatewaySettings
from services.identity.demo import PARTICULARS
from tests.unit.gateway_fakes import addresses_for_people

MOST = 2

ONCE_IN_A_WHILE = ("identity.get_web_session", "identity.get_visit", "identity.answer_protocol jwks")
"""Who the visitor is, asked each half minute, and the keys that say so."""

NO_PAGES = ("/oauth/", "/.well-known/", "/callback", "/hall/callback", "/healthz", "/readyz", "/metrics")
FILES = ("/account/data.json",)
"""Somebody's whole data, out of every service."""


class CountingRpc(Rpc):
    """The services' own answers, over HTTP. Notes what was called for which request."""

    def __init__(self, settings: GatewaySettings) -> None:
        # the broker is never connected to
        broker = Broker(settings.amqp_uri.get_secret_value())
        super().__init__(broker, Direct(settings.service_urls, settings.rpc_secret.get_secret_value()))
        self.calls: defaultdict[str | None, list[str]] = defaultdict(list)

    async def call(self, name: str, *args: Any, **options: Any) -> Any:
        called = f"{name} {args[0]}" if name == "identity.answer_protocol" else name
        self.calls[context.correlation_id.get()].append(called)
        return await super().call(name, *args, **options)


class Visitor:
    """A browser at a door of its own, in this process."""

    def __init__(self, app: Any, base: str) -> None:
        transport = httpx2.ASGITransport(app=app)
        self.client = httpx2.AsyncClient(transport=transport, base_url=base, headers={"Accept": "text/html"})

    async def follow(self, method: str, address: str, **form: str) -> httpx2.Response:
        answer = await self.client.request(method, address, data=form or None)
        while answer.is_redirect:
            answer = await self.client.get(answer.headers["location"])
        return answer

    async def sign_in(self, start: str, username: str) -> None:
        login = await self.follow("GET", start)
        there = await self.follow("POST", str(login.url), username=username, password=PASSWORD)
        assert there.status_code == httpx2.codes.OK, there.url


@pytest.fixture
def settings(platform, monkeypatch: pytest.MonkeyPatch) -> GatewaySettings:
    gateway = next(program for program in platform.programs if program.process == "gateway")
    for name, value in gateway.environment.items():
        monkeypatch.setenv(name, value)
    return load(GatewaySettings)


def test_no_page_asks_for_more_than_two_things(settings: GatewaySettings, people) -> None:
    number = people.file("citizen").json()["number"]
    counted = asyncio.run(count_calls(settings, number))
    assert len(counted) > 150
    answered = [key for key, (status, _) in counted.items() if status == httpx2.codes.OK]
    assert len(answered) > 60
    assert {key: calls for key, (_, calls) in counted.items() if len(calls) > MOST} == {}
    assert not [key for key, (status, _) in counted.items() if status >= httpx2.codes.INTERNAL_SERVER_ERROR]


async def count_calls(settings: GatewaySettings, number: str) -> dict[tuple[str, str], tuple[int, list[str]]]:
    """(who, address) -> the status, and what was called for it."""
    rpc = CountingRpc(settings)
    app = create_app(settings, rpc)
    counted = {}
    known = {"number": number, "code": ITEM, "way": "email"}
    visitors = await sign_all_in(app, settings.base_url)
    for _, path in addresses_for_people(app, "GET"):
        if path.startswith(NO_PAGES) or path in FILES:
            continue
        address = re.sub(r"\{(\w+)[^}]*\}", lambda found: known.get(found[1], "x"), path)
        for who, visitor in visitors.items():
            answer = await visitor.client.get(address)
            asked = rpc.calls.get(answer.headers["x-request-id"], [])
            counted[who, path] = answer.status_code, [call for call in asked if call not in ONCE_IN_A_WHILE]
    for visitor in visitors.values():
        await visitor.client.aclose()
    await rpc.stop()
    return counted


async def sign_all_in(app: Any, base: str) -> dict[str, Visitor]:
    """A stranger, a citizen who is also at a kiosk, an officer, and a clerk with a citizen at the counter."""
    visitors = {name: Visitor(app, base) for name in ("stranger", "citizen", "officer", "clerk")}
    citizen, clerk = visitors["citizen"], visitors["clerk"]
    for name in ("citizen", "officer"):
        await visitors[name].sign_in(f"/login/start?next={quote('/cases')}", name)
    waiting = await citizen.follow("POST", "/kiosk/start")
    code = re.search(r"[B-Z]{4}-[B-Z]{4}", waiting.text)
    assert code is not None
    await citizen.follow("POST", "/device", user_code=code[0], decision="allow")
    assert (await citizen.follow("GET", "/kiosk/wait")).url.path == "/kiosk/"
    await clerk.sign_in("/hall/login", "clerk")
    counter = await clerk.follow("POST", "/hall/visits", id_number=str(PARTICULARS["citizen"].id_number))
    assert counter.url.path == "/hall/visit/"
    return visitors
