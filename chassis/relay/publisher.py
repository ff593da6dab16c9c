"""One term as leader: reads the outbox, keeps hundreds of confirms in flight, marks what the broker confirmed.

Everything but the database runs on pika's loop. The database runs in one thread of its own, so that reading and
marking overlap with publishing and heartbeats go on while a statement takes long. A replay hands its batches in from
its own thread and shares the loop with what is new.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pika
from pika.exceptions import AMQPConnectionError

from chassis import failpoints, metrics
from chassis.relay.confirms import Confirms
from chassis.relay.messages import Row
from chassis.relay.replay_channel import ReplayChannel
from chassis.relay.store import OutboxListener, OutboxStore
from chassis.relay.wire import Connection
from contracts import topology

log = logging.getLogger(__name__)

T = TypeVar("T")

WINDOW = 1000
"""Confirms in flight at most."""

BATCH = 500
"""Rows read, and about as many marked, at a time."""

POLL_SECONDS = 1.0
GOODBYE_SECONDS = 2.0
BACKLOG_SECONDS = 5.0

_ENDED = AMQPConnectionError("the term as leader has ended")


def connection_parameters(amqp_uri: str) -> pika.URLParameters:
    parameters = pika.URLParameters(amqp_uri)
    parameters.heartbeat = 10
    parameters.blocked_connection_timeout = 30
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    return parameters


class Publisher:
    """Publishes until `stop()`, or until broker or database fail: then `run` raises.

    A row goes from *in flight* (published) over *confirmed* (by the broker) to marked (in the database).
    """

    def __init__(self, source: str, amqp_uri: str, store: OutboxStore, listener: OutboxListener) -> None:
        self._source = source
        self._store = store
        self._listener = listener
        self._in_flight: Confirms[Row] = Confirms()
        self._confirmed: list[Row] = []
        self._marking: list[Row] = []
        self.position = store.last_position()
        """Of the last event that is published and marked."""
        self._reading = self._ending = False
        self._woken = True
        self._replay_channel = ReplayChannel(self._fail)
        self._quiet: Future[int] | None = None
        self._error: BaseException | None = None
        self.ready = threading.Event()
        """Set once it publishes, and when it will not any more."""
        self.answered = time.monotonic()
        """When the database last did what it was asked."""
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._connection = Connection(
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
            self._abandon()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """From a signal handler or another thread. What is in flight is sent again by the next leader."""
        self._loop.add_callback_threadsafe(self._end)

    def fail(self, error: BaseException) -> None:
        """From another thread: end the term with this error."""
        self._loop.add_callback_threadsafe(lambda: self._fail(error))

    # for the thread that replays; each future fails when the term ends

    @property
    def is_busy(self) -> bool:
        """Whether more is waiting to be published than it can take at once."""
        return self._woken and len(self._in_flight) > WINDOW - BATCH

    def send(self, queue: str, rows: Sequence[Row], replay: str | None) -> Future[None]:
        """Publish rows of the history straight to one queue, one batch at a time; done when all are confirmed.

        `replay` is the id that the messages carry of one that was asked for.
        Fails with `QueueLost` if there is no such queue.
        """
        batch: Future[None] = Future()
        self._loop.add_callback_threadsafe(lambda: self._replay(batch, queue, rows, replay))
        return batch

    def pause(self) -> Future[int]:
        """Publish nothing new until `resume`. Done, with the last position, when nothing is under way any more."""
        quiet: Future[int] = Future()
        self._loop.add_callback_threadsafe(lambda: self._pause(quiet))
        return quiet

    def resume(self) -> None:
        self._loop.add_callback_threadsafe(self._resume_reading)

    # opening

    def _on_connection_open(self, connection: Any) -> None:
        self._open_channel(connection, self._on_confirm, self._on_return, self._on_channel_open)

    def _on_channel_open(self, channel: Any) -> None:
        self._channel = channel
        replays = self._replay_channel
        self._open_channel(self._connection, replays.on_confirm, replays.on_return, self._on_replay_channel_open)

    def _on_replay_channel_open(self, channel: Any) -> None:
        self._replay_channel.open(self._connection, channel)
        self._begin()

    def _open_channel(self, connection: Any, on_confirm: Any, on_return: Any, then: Callable[[Any], None]) -> None:
        def configure(channel: Any) -> None:
            channel.add_on_close_callback(self._on_failure)
            channel.add_on_return_callback(on_return)
            channel.confirm_delivery(on_confirm, callback=lambda _: then(channel))

        connection.channel(on_open_callback=configure)

    def _begin(self) -> None:
        self._exchange = topology.exchange(self._source)
        self._loop.add_handler(self._listener.fileno(), self._on_notification, self._loop.READ)
        self.ready.set()
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

    def _abandon(self) -> None:
        """Tell the replaying thread that nothing it waits for will come."""
        self._ending = True
        self.ready.set()
        self._replay_channel.abandon(_ENDED)
        if self._quiet is not None and not self._quiet.done():
            self._quiet.set_exception(_ENDED)

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
        if self._woken and not self._reading and self._quiet is None and len(self._in_flight) <= WINDOW - BATCH:
            self._woken, self._reading = False, True
            under_way = [row.id for row in (*self._in_flight.items(), *self._confirmed, *self._marking)]
            self._in_database(self._store.read, self._publish, under_way, BATCH)
        if self._confirmed and not self._marking and (len(self._confirmed) >= BATCH or not self._in_flight):
            self._marking, self._confirmed = self._confirmed, []
            self._in_database(self._mark, self._on_marked, self._marking)
        if self._quiet is not None and not (self._reading or self._in_flight or self._confirmed or self._marking):
            self._tell_quiet(self._quiet)

    def _mark(self, rows: list[Row]) -> int:
        failpoints.reach("relay.confirmed")
        self._store.mark(rows, self.position + 1)
        return len(rows)

    def _on_marked(self, count: int) -> None:
        self._marking = []
        self.position += count
        metrics.relay_published.labels(self._source).inc(count)
        self._pump()

    def _publish(self, rows: list[Row]) -> None:
        self._reading = False
        for row in rows:
            self._in_flight.add(row)
        self._connection.publish(self._channel, self._exchange, rows)
        self._woken = self._woken or len(rows) == BATCH
        self._pump()

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        if isinstance(method, pika.spec.Basic.Nack):
            self._fail(AMQPConnectionError("the broker refused an event; all unconfirmed ones are sent again"))
            return
        self._confirmed += self._in_flight.take(method.delivery_tag, method.multiple)
        self._pump()

    def _on_return(self, *_: object) -> None:
        """No queue asked for this type; the broker confirms it all the same."""
        metrics.relay_unroutable.labels(self._source).inc()

    # replays

    def _replay(self, batch: Future[None], queue: str, rows: Sequence[Row], replay: str | None) -> None:
        if self._ending:
            batch.set_exception(_ENDED)
        else:
            self._replay_channel.send(batch, queue, rows, replay)

    def _pause(self, quiet: Future[int]) -> None:
        if self._ending:
            quiet.set_exception(_ENDED)
        else:
            self._quiet = quiet
            self._pump()

    def _tell_quiet(self, quiet: Future[int]) -> None:
        """Only after the leader's connection has answered: who lost the lock must not change the topology."""

        def tell(position: int) -> None:
            if not quiet.done():
                quiet.set_result(position)

        self._in_database(self._store.last_position, tell)

    def _resume_reading(self) -> None:
        self._quiet = None
        self._wake()

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
