"""Reads the queue of every standing webhook. Queues appear and vanish while it runs, and so does the broker."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Set
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from chassis.webhooks.store import Arrival
from chassis.webhooks.waiting import wait_at_most
from contracts.envelope import REPLAY_HEADER, Envelope, UnreadableEvent

PREFETCH = 200
"""Events of one queue that are not acknowledged yet."""

_HEARTBEAT = 10
_CONNECT_SECONDS = 5.0
_SYNC_SECONDS = 1.0
_PAUSE_SECONDS = 1.0
_ACKNOWLEDGE_SECONDS = 1.0
"""A broker that froze must not hold up what is to be sent."""

_MOST_SEQUENCE = 2**63 - 1
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""JSON can spell characters that no database takes."""

# aiormq says RuntimeError of a connection that closes while it is used; TimeoutError is an OSError
_FAILURES = (OSError, aio_pika.exceptions.AMQPError, RuntimeError)

log = logging.getLogger(__name__)


Source = tuple[str, str]
"""A queue and the subscription that it belongs to. Another one may later have the same name, and so the same queue."""


@dataclass(frozen=True, slots=True)
class Received:
    """An event, and the message to be acknowledged when it is saved."""

    arrival: Arrival
    message: AbstractIncomingMessage


class Intake:
    """Gives every event to `receive`, each queue's in its order; `acknowledge` says what was saved."""

    def __init__(self, amqp_uri: str, receive: Callable[[Received], None]) -> None:
        self._amqp_uri = amqp_uri
        self._receive = receive
        self._wanted: Set[Source] = frozenset()
        self._changed = asyncio.Event()
        self._channels: dict[Source, AbstractChannel] = {}
        self._ended: set[Source] = set()
        self._unreadable: set[Source] = set()

    def follow(self, sources: Set[Source]) -> None:
        """Read these from now on, and no others."""
        if sources != self._wanted:
            self._wanted = sources
            self._changed.set()

    async def run(self) -> None:
        """Until cancelled. While there is no broker, what was received before goes on being sent."""
        while True:
            try:
                await self._read()
            except _FAILURES as error:
                log.warning("the queues cannot be read (%r); trying again", error)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _read(self) -> None:
        connection = await aio_pika.connect(self._amqp_uri, heartbeat=_HEARTBEAT, timeout=_CONNECT_SECONDS)
        self._channels = {}
        try:
            while not connection.is_closed:
                self._changed.clear()
                await self._sync(connection)
                # looking again in any case finds a queue that its relay has only just declared
                await wait_at_most(self._changed, _SYNC_SECONDS)
        finally:
            await _close(connection)

    async def _sync(self, connection: AbstractConnection) -> None:
        for source, channel in list(self._channels.items()):
            if source in self._ended or channel.is_closed or source not in self._wanted:
                self._ended.discard(source)
                del self._channels[source]
                await channel.close()
        for source in self._wanted - self._channels.keys():
            await self._open(connection, source)

    async def _open(self, connection: AbstractConnection, source: Source) -> None:
        """On a channel of its own: what happens to one queue ends only that."""
        name, subscription = source
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(prefetch_count=PREFETCH)
        underlay = await channel.get_underlay_channel()

        async def on_message(message: AbstractIncomingMessage) -> None:
            await self._on_message(subscription, message)

        def on_cancelled(_: object) -> None:
            self._ended.add(source)
            self._changed.set()

        # the broker ends the consumer of a queue that was deleted, and leaves the channel open
        underlay.on_consumer_cancel_callbacks.add(on_cancelled)
        queue = await channel.get_queue(name, ensure=False)
        try:
            await queue.consume(on_message)
        except aio_pika.exceptions.ChannelClosed as error:
            # said once: the relay may only just be declaring it
            level = logging.DEBUG if source in self._unreadable else logging.WARNING
            log.log(level, "%s is not read: %r", name, error)
            self._unreadable.add(source)
        else:
            self._unreadable.discard(source)
            self._channels[source] = channel

    async def _on_message(self, subscription: str, message: AbstractIncomingMessage) -> None:
        try:
            arrival = _arrival(subscription, message)
        except UnreadableEvent as error:
            log.error("message %s is no event (%s); it becomes a dead letter", message.message_id, error)  # noqa: TRY400 where it was found says nothing
            await message.reject(requeue=False)
        else:
            self._receive(Received(arrival, message))


def _arrival(subscription: str, message: AbstractIncomingMessage) -> Arrival:
    """Raise `UnreadableEvent`, also for what the database would not take."""
    envelope = Envelope.from_json(message.body)
    replay = str(message.headers.get(REPLAY_HEADER) or "")
    try:
        body = message.body.decode()
    except UnicodeDecodeError as error:
        raise UnreadableEvent("it is not UTF-8") from error
    if _UNSTORABLE.search(f"{envelope.id}{envelope.subject}{replay}") or envelope.sequence > _MOST_SEQUENCE:
        raise UnreadableEvent("it cannot be stored")
    return Arrival(subscription, envelope.id, replay, envelope.type, envelope.subject, envelope.sequence, body)


async def acknowledge(received: list[Received]) -> None:
    """Each queue's up to its last one. What cannot be acknowledged comes again and is recognised."""
    last = {id(each.message.channel): each.message for each in received}
    for message in last.values():
        try:
            async with asyncio.timeout(_ACKNOWLEDGE_SECONDS):
                await message.ack(multiple=True)
        except _FAILURES as error:
            log.info("not acknowledged (%r)", error)


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(1):
            await connection.close()
    except _FAILURES:
        log.debug("the connection was closed already")
