"""One term as leader: reads the outbox, keeps hundreds of confirms in flight, marks what the broker confirmed.

Everything but the database runs on pika's loop. The database runs in one thread of its own, so that reading and
marking overlap with publishing and heartbeats go on while a statement takes long.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pika
from pika.exceptions import AMQPConnectionError
from pika.spec import PERSISTENT_DELIVERY_MODE

from chassis import broker, failpoints, metrics
from chassis.relay.store import OutboxListener, OutboxStore, Row
from contracts import topology
from contracts.envelope import CONTENT_TYPE

log = logging.getLogger(__name__)

T = TypeVar("T")

WINDOW = 1000
"""Confirms in flight at most."""

BATCH = 500
"""Rows read, and about as many marked, at a time."""

POLL_SECONDS = 1.0
GOODBYE_SECONDS = 2.0
BACKLOG_SECONDS = 5.0


def connection_parameters(amqp_uri: str) -> pika.URLParameters:
    parameters = pika.URLParameters(amqp_uri)
    parameters.heartbeat = 10
    parameters.blocked_connection_timeout = 30
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    return parameters


def declare_topology(amqp_uri: str, source: str, queues: Iterable[topology.Queue]) -> None:
    """Declare the exchange and every queue that hears it, before the first event could miss one."""
    connection = pika.BlockingConnection(connection_parameters(amqp_uri))
    try:
        channel = connection.channel()
        broker.declare_exchange(channel, source)
        broker.declare(channel, queues)
    finally:
        connection.close()


class Publisher:
    """Publishes until `stop()`, or until broker or database fail: then `run` raises.

    A row goes from *in flight* (published) over *confirmed* (by the broker) to marked (in the database).
    """

    def __init__(self, source: str, amqp_uri: str, store: OutboxStore, listener: OutboxListener) -> None:
        self._source = source
        self._store = store
        self._listener = listener
        self._in_flight: OrderedDict[int, int] = OrderedDict()
        self._confirmed: list[int] = []
        self._marking: list[int] = []
        self._position = store.last_position()
        self._published = 0
        self._reading = self._ending = False
        self._woken = True
        self._error: BaseException | None = None
        self.answered = time.monotonic()
        """When the database last did what it was asked."""
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._connection = pika.SelectConnection(
            connection_parameters(amqp_uri),
            on_open_callback=self._on_connection_open,
            on_open_error_callback=self._on_failure,
            on_close_callback=self._on_closed,
        )
        self._loop = self._connection.ioloop

    def run(self) -> None:
        try:
            self._loop.start()
        finally:
            self._database.shutdown()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """From a signal handler or another thread. What is in flight is sent again by the next leader."""
        self._loop.add_callback_threadsafe(self._end)

    # opening

    def _on_connection_open(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._on_channel_open)

    def _on_channel_open(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_failure)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._begin())

    def _begin(self) -> None:
        self._exchange = topology.exchange(self._source)
        self._loop.add_handler(self._listener.fileno(), self._on_notification, self._loop.READ)
        self._poll()
        self._measure()

    # ending

    def _on_failure(self, _: Any, reason: BaseException | str) -> None:
        self._fail(reason if isinstance(reason, BaseException) else AMQPConnectionError(reason))

    def _on_closed(self, _: Any, reason: BaseException) -> None:
        if not self._ending:
            self._error = self._error or reason
        self._loop.stop()

    def _fail(self, error: BaseException) -> None:
        if not self._ending:
            self._error = error
        self._end()

    def _end(self) -> None:
        """Close the connection, and stop even if a broker that froze does not answer."""
        if self._ending:
            return
        self._ending = True
        self._loop.call_later(GOODBYE_SECONDS, self._loop.stop)
        if self._connection.is_open:
            self._connection.close()
        elif self._connection.is_closed:
            self._loop.stop()

    # waking

    def _on_notification(self, *_: object) -> None:
        try:
            self._listener.drain()
        except Exception as error:
            self._fail(error)
            return
        self._wake()

    def _poll(self) -> None:
        """A net under LISTEN, and how a lost database connection is noticed while nothing happens."""
        self._wake()
        self._loop.call_later(POLL_SECONDS, self._poll)

    def _wake(self) -> None:
        self._woken = True
        self._pump()

    # the cycle: read, publish, confirm, mark

    def _pump(self) -> None:
        if self._ending:
            return
        if self._woken and not self._reading and len(self._in_flight) <= WINDOW - BATCH:
            self._woken, self._reading = False, True
            under_way = [*self._in_flight.values(), *self._confirmed, *self._marking]
            self._in_database(self._store.read, self._publish, under_way, BATCH)
        if self._confirmed and not self._marking and (len(self._confirmed) >= BATCH or not self._in_flight):
            self._marking, self._confirmed = self._confirmed, []
            self._in_database(self._mark, self._on_marked, self._marking)

    def _mark(self, ids: list[int]) -> None:
        failpoints.reach("relay.confirmed")
        self._store.mark(ids, self._position + 1)
        self._position += len(ids)

    def _on_marked(self, _: None) -> None:
        self._marking = []
        self._pump()

    def _publish(self, rows: list[Row]) -> None:
        self._reading = False
        for row in rows:
            self._published += 1
            self._in_flight[self._published] = row.id
            self._channel.basic_publish(
                self._exchange,
                row.routing_key,
                row.body.encode(),
                pika.BasicProperties(
                    content_type=CONTENT_TYPE, delivery_mode=PERSISTENT_DELIVERY_MODE, message_id=row.event_id
                ),
                mandatory=True,
            )
        self._woken = self._woken or len(rows) == BATCH
        self._pump()

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        if isinstance(method, pika.spec.Basic.Nack):
            self._fail(AMQPConnectionError("the broker refused an event; all unconfirmed ones are sent again"))
            return
        before = len(self._confirmed)
        if method.multiple:
            while self._in_flight and next(iter(self._in_flight)) <= method.delivery_tag:
                self._confirmed.append(self._in_flight.popitem(last=False)[1])
        else:
            self._confirmed.append(self._in_flight.pop(method.delivery_tag))
        metrics.relay_published.labels(self._source).inc(len(self._confirmed) - before)
        self._pump()

    def _on_return(self, *_: object) -> None:
        """No queue asked for this type; the broker confirms it all the same."""
        metrics.relay_unroutable.labels(self._source).inc()

    # beside the cycle

    def _measure(self) -> None:
        self._in_database(self._store.backlog, self._report)

    def _report(self, backlog: tuple[int, float]) -> None:
        unsent, oldest_seconds = backlog
        metrics.outbox_unsent.labels(self._source).set(unsent)
        metrics.outbox_oldest_seconds.labels(self._source).set(oldest_seconds)
        self._loop.call_later(BACKLOG_SECONDS, self._measure)

    def _in_database(self, work: Callable[..., T], then: Callable[[T], None], *arguments: Any) -> None:
        """Run `work` in the database's thread and `then` on the loop; an error of either ends the term."""

        def resume(future: Future[T]) -> None:
            self._loop.add_callback_threadsafe(lambda: self._resume(future, then))

        self._database.submit(work, *arguments).add_done_callback(resume)

    def _resume(self, future: Future[T], then: Callable[[T], None]) -> None:
        error = future.exception()
        if error is not None:
            self._fail(error)
        elif not self._ending:
            self.answered = time.monotonic()
            then(future.result())
