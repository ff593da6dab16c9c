"""Connections that a service consumes from, and on which it also publishes.

One greenlet reads a connection, the loop that drains it; others only write, one at a time. Confirms and returned
messages arrive in that loop.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import amqp.connection
from amqp.basic_message import Message as AmqpMessage
from amqp.exceptions import AMQPError, NotFound
from kombu.message import Message
from kombu.mixins import ConsumerMixin

log = logging.getLogger(__name__)

# With it py-amqp reads from the connection in every publish, in whichever greenlet publishes: a confirm's callback
# would then run under the lock that the publishing greenlet holds, and frames could be split between two readers.
amqp.connection.Connection.negotiate_capabilities = amqp.connection.NEGOTIATE_CAPABILITIES | {
    "connection.blocked": False
}

GONE = (AMQPError, OSError, AttributeError)
"""What a write on a lost connection raises; py-amqp's closed channel has no connection, hence AttributeError."""

_NUMBER = "x-publish"
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 2
_MISSING_WAIT_SECONDS = 0.5

Callback = Callable[[], None]


class ResilientConsumer(ConsumerMixin):
    """kombu's consuming loop, quick to come back and never waiting for a goodbye from a broker that froze.

    It declares nothing: what it consumes from is made by another process, and it waits for that.
    """

    def needed_queues(self) -> Iterable[str]:
        """What must be there before consuming can begin."""
        raise NotImplementedError

    def on_missing_queue(self, connection: Any) -> None:
        """Called once when the first wait begins."""

    def on_waiting(self) -> None:
        """Called again and again while a queue is missing."""

    @contextmanager
    def establish_connection(self) -> Iterator[Any]:
        with self.create_connection() as connection:
            connection.ensure_connection(
                self.on_connection_error,
                interval_start=_FIRST_WAIT_SECONDS,
                interval_step=_FIRST_WAIT_SECONDS,
                interval_max=_LONGEST_WAIT_SECONDS,
            )
            try:
                self._await_queues(connection)
                yield connection
            except connection.connection_errors:
                connection.collect()
                raise

    def _await_queues(self, connection: Any) -> None:
        is_waiting = False
        while not self.should_stop and (missing := self._missing_queue(connection)):
            if not is_waiting:
                log.warning("waiting for the queue %s", missing)
                self.on_missing_queue(connection)
                is_waiting = True
            self.on_waiting()
            time.sleep(_MISSING_WAIT_SECONDS)

    def _missing_queue(self, connection: Any) -> str | None:
        for queue in self.needed_queues():
            channel = connection.channel()
            try:
                channel.queue_declare(queue=queue, passive=True)
            except NotFound:
                return queue
            finally:
                channel.close()
        return None


class ConfirmingChannel:
    """Wraps a py-amqp channel. A lost connection is silent here: the broker hands out again what was unfinished."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        # frames of two greenlets must not mix on the socket
        self._writing = threading.Lock()
        self._published = 0
        self._returned: set[int] = set()
        self._waiting: dict[int, tuple[Callback, Callback]] = {}
        # a message knows the channel that delivered it, and through it finds this
        channel.confirming = self
        channel.confirm_select()
        channel.events["basic_return"].add(self._on_return)
        channel.events["basic_ack"].add(lambda tag, multiple: self._settle(tag, multiple, confirmed=True))
        channel.events["basic_nack"].add(lambda tag, multiple: self._settle(tag, multiple, confirmed=False))

    @property
    def is_open(self) -> bool:
        return bool(self._channel.is_open)

    def publish(
        self, message: AmqpMessage, exchange: str, queue: str, *, confirmed: Callback, refused: Callback
    ) -> None:
        """Publish to one queue, bound to `exchange` by its name; exactly one of the callbacks follows, or neither.

        `refused` is for a broker that could not take it and for a queue that is not there.
        """
        with self._lossy():
            self._published += 1
            self._waiting[self._published] = (confirmed, refused)
            message.properties["application_headers"][_NUMBER] = self._published
            self._channel.basic_publish(message, exchange=exchange, routing_key=queue, mandatory=True)

    def ack(self, message: Message) -> None:
        with self._lossy():
            message.ack()

    def reject(self, message: Message) -> None:
        """To the queue's dead letters."""
        with self._lossy():
            message.reject(requeue=False)

    @contextmanager
    def _lossy(self) -> Iterator[None]:
        with self._writing:
            try:
                yield
            except GONE as error:
                log.info("the broker's connection is gone (%s); it will hand the message out again", error)

    def _on_return(self, _: Any, __: str, ___: str, message: AmqpMessage) -> None:
        """No such queue. The confirm that follows says only that the broker has dealt with it."""
        self._returned.add(message.headers[_NUMBER])

    def _settle(self, tag: int, multiple: bool, *, confirmed: bool) -> None:
        for settled in [number for number in self._waiting if number == tag or (multiple and number < tag)]:
            on_confirmed, on_refused = self._waiting.pop(settled)
            (on_confirmed if confirmed and settled not in self._returned else on_refused)()
            self._returned.discard(settled)
