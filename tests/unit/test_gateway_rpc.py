"""Calls of services: which way they go, and what comes back as what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chassis import context
from contracts.actors import Actor
from contracts.errors import ERROR_OF_PATH, InvalidInput, NotFound, ServiceUnavailable
from gateway.rpc import Call, ConnectionLost, InternalError, Rpc
from gateway.rpc.broker import Broker
from gateway.rpc.calls import result_of
from gateway.rpc.direct import Direct

ACTOR = Actor("sub-1", "app", "app", ("officer",), "civil-affairs", ("cases",))
DONE = {"result": "done", "error": None}
NOWHERE = "http://127.0.0.1:1"


class FakeBroker:
    def __init__(self, reply: Any, *, is_connected: bool = True) -> None:
        self.reply = reply
        self.is_connected = is_connected
        self.calls: list[Call] = []

    async def call(self, call: Call) -> dict[str, Any]:
        self.calls.append(call)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


class FakeDirect(FakeBroker):
    async def is_alive(self, service: str) -> bool:
        return self.is_connected


def call(broker: FakeBroker, direct: FakeDirect, name: str, *args: Any) -> Any:
    return asyncio.run(Rpc(broker, direct).call(name, *args, actor=ACTOR))  # type: ignore[arg-type]


def test_a_call_goes_over_the_broker() -> None:
    broker, direct = FakeBroker(DONE), FakeDirect(DONE)
    assert call(broker, direct, "cases.act_on_case", "OH-1", "accept") == "done"
    assert (len(broker.calls), len(direct.calls)) == (1, 0)
    assert broker.calls[0].args == ("OH-1", "accept")


def test_without_a_broker_every_call_goes_over_http() -> None:
    broker, direct = FakeBroker(DONE, is_connected=False), FakeDirect(DONE)
    assert call(broker, direct, "cases.act_on_case", "OH-1", "accept") == "done"
    assert (len(broker.calls), len(direct.calls)) == (0, 1)


REPEATED = [
    ("cases.submit_case", ("item", {}, "key")),
    ("cases.submit_joint_case", ("item", {}, "key")),
    ("cases.get_case", ("OH-1",)),
    ("notify.list_inbox", (None, 20)),
    ("identity.answer_protocol", ("jwks", "GET", "", {}, "")),
]
NOT_REPEATED = [
    ("cases.act_on_case", ("OH-1", "accept")),
    ("rating.rate_case", ({}, 5, None)),
    ("identity.sign_in", ("a", "b", "web")),
    ("identity.answer_protocol", ("token", "POST", "", {}, "")),
]


@pytest.mark.parametrize(("name", "args"), REPEATED)
def test_what_may_be_done_twice_is_sent_again_when_the_broker_dies_under_it(name: str, args: tuple[Any, ...]) -> None:
    broker, direct = FakeBroker(ConnectionLost()), FakeDirect(DONE)
    assert call(broker, direct, name, *args) == "done"
    assert direct.calls == broker.calls


@pytest.mark.parametrize(("name", "args"), NOT_REPEATED)
def test_what_may_not_be_done_twice_is_not(name: str, args: tuple[Any, ...]) -> None:
    broker, direct = FakeBroker(ConnectionLost()), FakeDirect(DONE)
    with pytest.raises(ServiceUnavailable):
        call(broker, direct, name, *args)
    assert not direct.calls


@pytest.mark.parametrize("error", list(ERROR_OF_PATH.values()), ids=lambda error: error.__name__)
def test_an_error_comes_back_as_itself(error: type[Exception]) -> None:
    path = f"{error.__module__}.{error.__qualname__}"
    with pytest.raises(error) as raised:
        result_of({"result": None, "error": {"exc_path": path, "exc_args": ["a", "b"]}})
    assert raised.value.args == ("a", "b")


def test_an_error_that_nobody_knows_is_ours() -> None:
    with pytest.raises(InternalError, match="sqlalchemy"):
        result_of({"result": None, "error": {"exc_path": "sqlalchemy.exc.DBAPIError", "exc_args": [], "value": ""}})


def test_ready_is_who_reaches_services_by_any_way() -> None:
    for connected, alive in ((True, False), (False, True), (False, False)):
        rpc = Rpc(FakeBroker(DONE, is_connected=connected), FakeDirect(DONE, is_connected=alive))  # type: ignore[arg-type]
        assert asyncio.run(rpc.can_reach_services()) == (connected or alive)


@asynccontextmanager
async def service(status: int, reply: Any) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A service that answers every HTTP request in one way; its address and what it was sent."""
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[16:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")), 0
        )
        requests.append(head + await reader.readexactly(length))
        body = json.dumps(reply).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests


async def call_directly(status: int, reply: Any) -> tuple[Any, list[bytes]]:
    async with service(status, reply) as (address, requests):
        direct = Direct({"cases": address}, "shared")
        rpc = Rpc(FakeBroker(DONE, is_connected=False), direct)  # type: ignore[arg-type]
        try:
            return await rpc.call("cases.get_case", "OH-1", actor=ACTOR), requests
        finally:
            await direct.close()


def test_a_call_over_http_carries_its_secret_actor_and_request() -> None:
    context.enter("request-1", None)
    result, (request,) = asyncio.run(call_directly(200, DONE))
    head, _, body = request.partition(b"\r\n\r\n")
    sent = json.loads(body)
    assert result == "done"
    assert head.startswith(b"POST /rpc/get_case ")
    assert b"authorization: bearer shared" in head.lower()
    assert (sent["args"], sent["kwargs"]) == (["OH-1"], {})
    assert Actor.from_dict(sent["context"]["actor"]) == ACTOR
    assert sent["context"]["correlation_id"] == "request-1"


def test_errors_over_http_are_the_same() -> None:
    error = {"exc_path": InvalidInput.path(), "exc_args": [[{"pointer": "/form", "rule": "type", "value": "object"}]]}
    with pytest.raises(InvalidInput) as raised:
        asyncio.run(call_directly(200, {"result": None, "error": error}))
    assert raised.value.faults[0]["pointer"] == "/form"
    with pytest.raises(NotFound):
        asyncio.run(call_directly(200, {"error": {"exc_path": NotFound.path(), "exc_args": ["case", "1"]}}))


def test_a_service_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(ServiceUnavailable):
        asyncio.run(call_directly(503, {}))

    async def call_nowhere() -> None:
        direct = Direct({"cases": NOWHERE}, "shared")
        try:
            assert not await direct.is_alive("cases")
            await direct.call(Call("cases", "get_case", (), {}))
        finally:
            await direct.close()

    with pytest.raises(ServiceUnavailable):
        asyncio.run(call_nowhere())


def test_the_gateway_lives_without_a_broker() -> None:
    async def start_and_stop() -> None:
        rpc = Rpc(Broker("amqp://guest:guest@127.0.0.1:1//"), Direct({"identity": NOWHERE, "cases": NOWHERE}, "shared"))
        rpc.start()
        assert not await rpc.can_reach_services()
        with pytest.raises(ServiceUnavailable):
            await rpc.call("cases.get_case", "OH-1")
        await rpc.stop()

    asyncio.run(start_and_stop())
