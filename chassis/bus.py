"""Events into a Nameko service: one quorum queue a source, dispatched by type, each with one effect and in order.

Nameko's own event handlers lose a message when a handler raises and when its body cannot be read, and its publisher
hangs when the broker freezes. So this is our own consumer on kombu's mixin: it acknowledges after the commit, sends
failures to retry queues and then to the dead-letter queue, and publishes on the connection that it consumes from,
whose heartbeats notice a broker that froze.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from amqp.basic_message import Message as AmqpMessage
from amqp.exceptions import RecoverableConnectionError
from greenlet import GreenletExit
from kombu import Connection, Queue
from kombu.message import Message
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import DependencyProvider, Entrypoint, SharedExtension

from chassis import failpoints, inbox, metrics
from chassis.channel import ConfirmingChannel, ResilientConsumer
from chassis.extensions import HttpServer, ServiceDatabase
from contracts import topology
from contracts.envelope import CONTENT_TYPE, Envelope, UnreadableEvent
from contracts.errors import ServiceUnavailable

log = logging.getLogger(__name__)

ANY_OTHER = "*"
_ATTEMPT = "x-attempt"
_WAIT_SECONDS = 1.0
_STALLED_SECONDS = 120.0
"""Far longer than a statement may take: an event in hand for longer is stuck."""


class HandlerInterrupted(Exception):
    """A handler ended by something that is no `Exception`, such as a time-out of eventlet's."""


class EventConsumer(SharedExtension, ResilientConsumer):
    """Consumes the service's queues, on one connection of its own."""

    http = HttpServer()
    database = ServiceDatabase()

    def __init__(self) -> None:
        super().__init__()
        self._entrypoints: dict[str, Entrypoint] = {}
        self._stopping = False
        self._topology_is_lost = False
        self._channel: ConfirmingChannel | None = None
        self._turned = time.monotonic()
        self._in_hand: dict[Message, float] = {}

    def setup(self) -> None:
        service = self.container.service_name
        self.queues = [topology.service_queue(service, source) for source in topology.SUBSCRIPTIONS.get(service, ())]
        self.connection = Connection(
            self.container.config["AMQP_URI"], heartbeat=self.container.config["HEARTBEAT"], connect_timeout=5
        )
        self.http.add_check("/healthz", self.is_alive)

    def register(self, entrypoint: Entrypoint, types: tuple[str, ...]) -> None:
        self._entrypoints |= dict.fromkeys(types, entrypoint)

    def start(self) -> None:
        if self.queues:
            self._thread = self.container.spawn_managed_thread(self.run)

    def stop_consuming(self) -> None:
        """Take no more messages; those in hand are finished and acknowledged before `stop`."""
        self._stopping = True

    def stop(self) -> None:
        self.should_stop = True
        if self.queues:
            self._thread.wait()

    def is_alive(self) -> bool:
        """Whether the consuming loop turns (or keeps trying to reach the broker), and every event in hand moves on."""
        oldest = min((self._turned, *self._in_hand.values()))
        return not self.queues or time.monotonic() - oldest < _STALLED_SECONDS

    # kombu's hooks

    def needed_queues(self) -> list[str]:
        """The relays of the sources make them."""
        return [name for queue in self.queues for name in queue.parts]

    def on_waiting(self) -> None:
        self._turned = time.monotonic()

    def get_consumers(self, consumer: Callable[..., Any], channel: Any) -> list[Any]:
        self._topology_is_lost = False
        self._in_hand.clear()
        self._channel = ConfirmingChannel(channel)
        return [
            consumer(
                queues=[Queue(queue.name, no_declare=True)],
                on_message=functools.partial(self._on_message, queue),
                prefetch_count=self.container.max_workers,
            )
            for queue in self.queues
        ]

    def on_iteration(self) -> None:
        self._turned = time.monotonic()
        if self._topology_is_lost:
            raise RecoverableConnectionError("a queue of ours is gone: connecting again waits for it")

    def on_connection_error(self, exc: Exception, interval: float) -> None:
        self._turned = time.monotonic()
        log.warning("no connection to the broker (%s); trying again in %s s", type(exc).__name__, interval)

    # from message to worker

    def _on_message(self, queue: topology.Queue, message: Message) -> None:
        if not self._stopping:
            self.container.spawn_managed_thread(functools.partial(self._take, queue, message), identifier=queue.name)

    def _take(self, queue: topology.Queue, message: Message) -> None:
        try:
            envelope = Envelope.from_json(message.body)
        except UnreadableEvent as error:
            log.error("unreadable event in %s goes to its dead letters: %s", queue.name, error)  # noqa: TRY400
            self._bury(queue, message)
        else:
            self._spawn(queue, message, envelope)

    def _spawn(self, queue: topology.Queue, message: Message, envelope: Envelope) -> None:
        self._in_hand[message] = time.monotonic()
        entrypoint = self._entrypoints.get(envelope.type, self._entrypoints[ANY_OTHER])
        context = {"correlation_id": envelope.correlationid, "traceparent": envelope.traceparent}
        settle = functools.partial(self._settle, queue, message, envelope)
        try:
            self.container.spawn_worker(entrypoint, (envelope,), {}, context_data=context, handle_result=settle)
        except ContainerBeingKilled:
            log.info("event %s is left to another replica", envelope.id)

    # from worker to message

    def _settle(
        self, queue: topology.Queue, message: Message, envelope: Envelope, _: Any, result: Any, exc_info: Any
    ) -> tuple[Any, Any]:
        if exc_info is None:
            self._finish(queue, message, envelope, result)
        elif isinstance(exc_info[1], ServiceUnavailable):
            self._wait(queue, message, envelope)
        else:
            self._retry(queue, message)
        self._in_hand.pop(message, None)
        return result, exc_info

    def _finish(self, queue: topology.Queue, message: Message, envelope: Envelope, receipt: inbox.Receipt) -> None:
        failpoints.reach(f"committed.{envelope.type}")
        if receipt.successor is not None:
            self.send_back(receipt.successor)
        self._on(message).ack(message)
        self._count(queue, receipt.outcome)
        if receipt.outcome is inbox.Outcome.DONE:
            lag = (datetime.now(UTC) - envelope.time).total_seconds()
            metrics.consumer_lag_seconds.labels(self.container.service_name, queue.source).observe(lag)

    def _wait(self, queue: topology.Queue, message: Message, envelope: Envelope) -> None:
        """The database is away: no fault of this event, so it keeps its place and its attempts, but no worker."""

        def again() -> None:
            time.sleep(_WAIT_SECONDS)
            # on a lost connection the broker has handed the message to somebody else by now
            if not self._stopping and self._on(message).is_open:
                self._spawn(queue, message, envelope)

        self.container.spawn_managed_thread(again, identifier=queue.name)

    def _retry(self, queue: topology.Queue, message: Message) -> None:
        attempt = int((message.headers or {}).get(_ATTEMPT, 0))
        if attempt >= len(topology.RETRY_DELAYS):
            self._bury(queue, message)
            return
        channel = self._on(message)
        channel.publish(
            _persistent(message.body, attempt + 1),
            queue.back,
            queue.retry(topology.RETRY_DELAYS[attempt]),
            confirmed=lambda: channel.ack(message),
            refused=self._begin_anew,
        )
        self._count(queue, "retried")

    def _bury(self, queue: topology.Queue, message: Message) -> None:
        self._on(message).reject(message)
        self._count(queue, "dead")

    def send_back(self, envelope: Envelope) -> None:
        """Put a parked event whose turn has come into the queue again; it is forgotten here once confirmed there."""
        if self._channel is None:
            return

        def forget() -> None:
            self.container.spawn_managed_thread(functools.partial(self._unpark, envelope), identifier="unpark")

        queue = topology.service_queue(self.container.service_name, envelope.source)
        self._channel.publish(
            _persistent(envelope.to_json(), 0),
            queue.back,
            queue.name,
            confirmed=forget,
            refused=self._begin_anew,
        )

    def _begin_anew(self) -> None:
        """The broker could not take a message back: what is unacknowledged comes again on a new connection."""
        self._topology_is_lost = True

    def _unpark(self, envelope: Envelope) -> None:
        try:
            with self.database.database.transaction() as session:
                inbox.unpark(session, envelope)
        except ServiceUnavailable:
            log.info("parked event %s is back in its queue and parked too: it will be a duplicate", envelope.id)

    def _on(self, message: Message) -> ConfirmingChannel:
        """The channel that delivered the message; delivery tags mean nothing on another."""
        channel: ConfirmingChannel = message.channel.confirming
        return channel

    def _count(self, queue: topology.Queue, outcome: str) -> None:
        metrics.consumer_events.labels(self.container.service_name, queue.source, outcome).inc()


class OnEvent(Entrypoint):
    """A method for one or several event types; `*` is for every type that no other method takes."""

    consumer = EventConsumer()

    def __init__(self, *types: str) -> None:
        super().__init__(expected_exceptions=ServiceUnavailable)
        self.types = types

    def setup(self) -> None:
        self.consumer.register(self, self.types)

    def stop(self) -> None:
        self.consumer.stop_consuming()


class EventConsumerProvider(DependencyProvider):
    """Gives the consumer to the service, which looks after parked events."""

    consumer = EventConsumer()

    def get_dependency(self, worker_ctx: Any) -> EventConsumer:
        return self.consumer


def on_event(*types: str) -> Callable[[Callable[..., None]], Callable[..., inbox.Receipt]]:
    """Let `method(self, session, envelope)` handle these event types, within the inbox's transaction."""

    def decorate(method: Callable[..., None]) -> Callable[..., inbox.Receipt]:
        @functools.wraps(method)
        def handle(self: Any, envelope: Envelope) -> inbox.Receipt:
            try:
                with self.database.transaction() as session:
                    return inbox.receive(session, envelope, functools.partial(method, self))
            except (Exception, GreenletExit):
                raise
            except BaseException as error:
                # Nameko would lose sight of the message: never acknowledged, and one slot fewer for ever
                raise HandlerInterrupted(type(error).__name__) from error

        entrypoint: Callable[..., inbox.Receipt] = OnEvent.decorator(*types)(handle)
        return entrypoint

    return decorate


def _persistent(body: str | bytes, attempt: int) -> AmqpMessage:
    return AmqpMessage(body, content_type=CONTENT_TYPE, delivery_mode=2, application_headers={_ATTEMPT: attempt})
