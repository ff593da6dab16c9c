"""Nameko's RPC protocol, spoken from asyncio.

A call is a message to the topic exchange `nameko-rpc` with routing key `service.method`; its answer comes to a queue of
this process. `mandatory` with publisher confirms makes an unknown service known at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from aiormq.abc import DeliveredMessage

from contracts.broker_accounts import REPLY_PREFIX, REPLY_QUEUE_PREFIX, RPC_EXCHANGE, rpc_queue
from contracts.errors import ServiceUnavailable
from contracts.topology import SERVICES
from gateway.rpc.calls import Call, ConnectionLost

REPLY_QUEUE_TTL = 300_000
HEARTBEAT = 5
CONNECT_SECONDS = 5.0
CONFIRM_SECONDS = 4.0
"""A broker that takes longer to take a message is as good as gone (frozen, or blocked by an alarm)."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0

# aiormq says RuntimeError of a connection that closes while it is used; TimeoutError is an OSError
_FAILURES = (OSError, aio_pika.exceptions.AMQPError, RuntimeError)

log = logging.getLogger(__name__)
# tells of every attempt to connect as an error; `keep_connected` says it once and with what follows from it
logging.getLogger("aiormq.connection").setLevel(logging.CRITICAL)


class Broker:
    """The connection is kept up in the background, so the gateway starts and lives without a broker."""

    def __init__(self, uri: str, seconds: float = 10.0) -> None:
        self._uri = uri
        self._seconds = seconds
        self._reply_to = ""
        self._channel: AbstractChannel
        self._exchange: AbstractExchange | None = None
        self._connection: AbstractConnection | None = None
        self._lost = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    @property
    def is_connected(self) -> bool:
        return self._exchange is not None

    async def keep_connected(self) -> None:
        """Runs until cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._connect()
                pause = FIRST_PAUSE
                await self._lost.wait()
                log.warning("the broker is gone: calls go over HTTP")
            except _FAILURES as error:
                # said once an absence, not once an attempt
                level = logging.WARNING if pause == FIRST_PAUSE else logging.DEBUG
                log.log(level, "no broker: %s; calls go over HTTP", type(error).__name__)
                self._give_up()
            await self._close()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def close(self) -> None:
        self._give_up()
        await self._close()

    async def call(self, call: Call) -> dict[str, Any]:
        """The reply's body.

        Raise `ConnectionLost`, or `ServiceUnavailable` for a service that is unknown or silent. Ask only while
        `is_connected`.
        """
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[call.id] = answer
        try:
            await self._publish(call)
            async with asyncio.timeout(self._seconds):
                return await answer
        except TimeoutError as error:
            raise ServiceUnavailable(call.service) from error
        finally:
            self._waiting.pop(call.id, None)
            _forget(answer)

    async def _publish(self, call: Call) -> None:
        exchange, message = self._exchange, self._message(call)
        if exchange is None:
            raise ConnectionLost
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                confirmation = await exchange.publish(message, routing_key=call.name, mandatory=True)
        except _FAILURES as error:
            self._give_up()
            raise ConnectionLost from error
        # without on_return_raises the returned message itself is the answer
        if isinstance(confirmation, DeliveredMessage):
            await self._restore()
            raise ServiceUnavailable(call.service)

    async def _restore(self) -> None:
        """A service's queue was lost. It waits until the queue is there again, and so do later calls in the queue."""
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await _declare_services(self._channel)
        except _FAILURES:
            self._give_up()

    def _message(self, call: Call) -> aio_pika.Message:
        return aio_pika.Message(
            call.to_json(),
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT,
            correlation_id=call.id,
            message_id=call.id,
            reply_to=self._reply_to,
            # nobody waits any longer: a service that comes back must not work off what was given up
            expiration=self._seconds,
            headers={f"nameko.{name}": value for name, value in call.context.items() if value is not None}
            | {"nameko.call_id_stack": [f"gateway.{call.method}.{call.id}"]},
        )

    async def _connect(self) -> None:
        self._lost.clear()
        self._connection = await aio_pika.connect(self._uri, heartbeat=HEARTBEAT, timeout=CONNECT_SECONDS)
        connection = self._connection

        def on_closed(*_: object) -> None:
            # the goodbye of an old connection may come late, and says nothing about the new one
            if self._connection is connection:
                self._give_up()

        connection.close_callbacks.add(on_closed)
        channel = await connection.channel(publisher_confirms=True, on_return_raises=False)
        channel.close_callbacks.add(on_closed)
        exchange = await _declare_services(channel)
        own = str(uuid.uuid4())
        self._reply_to = f"{REPLY_PREFIX}{own}"
        replies = await channel.declare_queue(
            f"{REPLY_QUEUE_PREFIX}{own}", exclusive=True, arguments={"x-expires": REPLY_QUEUE_TTL}
        )
        await replies.bind(exchange, self._reply_to)
        await replies.consume(self._on_reply, no_ack=True)
        self._channel, self._exchange = channel, exchange
        log.info("connected to the broker")

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(1):
                await connection.close()
        except _FAILURES:
            log.debug("the connection was closed already")

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        answer = self._waiting.get(message.correlation_id or "")
        if answer is None or answer.done():
            return
        try:
            answer.set_result(json.loads(message.body))
        except ValueError as error:
            answer.set_exception(error)

    def _give_up(self) -> None:
        """Tell all who wait, at once, and let `keep_connected` begin anew."""
        self._exchange = None
        self._lost.set()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionLost())


async def _declare_services(channel: AbstractChannel) -> AbstractExchange:
    """The exchange of calls, and each service's queue as Nameko would declare it; services may declare nothing."""
    exchange = await channel.declare_exchange(RPC_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
    for service in SERVICES:
        queue = await channel.declare_queue(rpc_queue(service), durable=True)
        await queue.bind(exchange, f"{service}.*")
    return exchange


def _forget(answer: asyncio.Future[dict[str, Any]]) -> None:
    """Nobody reads it any more: asyncio shall not complain about an error left in it."""
    if not answer.cancel() and not answer.cancelled():
        answer.exception()
