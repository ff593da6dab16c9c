"""What the rest of the gateway calls services with."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

from contracts.actors import Actor
from contracts.errors import ServiceError, ServiceUnavailable
from gateway import metrics
from gateway.rpc.broker import Broker
from gateway.rpc.calls import Call, ConnectionLost, result_of
from gateway.rpc.direct import Direct

log = logging.getLogger(__name__)


class Transport(Protocol):
    """A way to a service: `gateway.rpc.broker` or `gateway.rpc.direct`."""

    async def call(self, call: Call) -> dict[str, Any]: ...


class Rpc:
    """Over the broker; over HTTP when there is none, or when it went away with a call that may be repeated."""

    def __init__(self, broker: Broker, direct: Direct) -> None:
        self._broker = broker
        self._direct = direct
        self._connecting: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._connecting = asyncio.create_task(self._broker.keep_connected())

    async def stop(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        await self._broker.close()
        await self._direct.close()

    async def call(self, name: str, *args: Any, actor: Actor | None = None, **kwargs: Any) -> Any:
        """The result of `service.method`. Raise the errors of `contracts.errors`, or `InternalError`."""
        service, method = name.split(".")
        call = Call(service, method, args, kwargs, actor)
        if self._broker.is_connected:
            try:
                return await self._timed("broker", self._broker, call)
            except ConnectionLost as error:
                if not call.is_repeatable:
                    raise ServiceUnavailable(service) from error
        return await self._timed("http", self._direct, call)

    async def can_reach_services(self) -> bool:
        if self._broker.is_connected:
            return True
        alive = await asyncio.gather(self._direct.is_alive("identity"), self._direct.is_alive("cases"))
        return all(alive)

    async def _timed(self, name: str, transport: Transport, call: Call) -> Any:
        began = time.perf_counter()
        outcome = "internal_error"
        try:
            result = result_of(await transport.call(call))
            outcome = "ok"
        except ConnectionLost:
            outcome = "connection_lost"
            raise
        except ServiceError as error:
            outcome = type(error).__name__
            raise
        finally:
            metrics.rpc_calls.labels(call.service, call.method, name, outcome).inc()
            metrics.rpc_seconds.labels(call.service, call.method, name).observe(time.perf_counter() - began)
        return result
