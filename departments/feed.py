"""One queue's messages from one broker connection that makes itself anew.

pika's blocking connection answers heartbeats only while somebody turns it, so a thread of its own does nothing else:
a handler may take minutes and the broker does not give the department up. The handler itself runs in the thread that
asks for messages, where its database connections live. Nothing but `add_callback_threadsafe` crosses between them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

import pika
from pika import exceptions
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

_LOG = logging.getLogger(__name__)
_TURN_SECONDS = 1.0
_RECONNECT_SECONDS = (0.2, 1.0, 2.0, 5.0)
_ACCESS_REFUSED, _NOT_FOUND = 403, 404


class SubscriptionError(Exception):
    """Why reading could not begin. The message is one line that says what to do."""


class InvalidAddress(SubscriptionError):
    """The broker's address cannot be read."""


class BrokerUnreachable(SubscriptionError):
    """Nobody answers at the broker's address."""


class AccessRefused(SubscriptionError):
    """The account, its password, or its right to the queue or the virtual host."""


class QueueNotFound(SubscriptionError):
    """The department has no such subscription."""


class QueueInUse(SubscriptionError):
    """Another subscriber reads this queue. Two at once would share its events and lose the order of a case."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that waits for its acknowledgement, on the channel that brought it."""

    channel: BlockingChannel
    tag: int
    body: bytes

    @property
    def is_current(self) -> bool:
        """Not so when its channel is gone: then the broker hands the message out again."""
        return bool(self.channel.is_open)


class Feed:
    """Reads `queue` until it is closed. Declares nothing: the department's account may only read."""

    def __init__(self, amqp_uri: str, queue: str, prefetch: int) -> None:
        self._parameters = _parameters(amqp_uri, queue)
        self._queue = queue
        self._prefetch = prefetch
        self._deliveries: SimpleQueue[Delivery | None] = SimpleQueue()
        self._closing = threading.Event()
        self._finished = False
        self._channel: BlockingChannel | None = None
        self._thread = threading.Thread(target=self._turn, name=f"feed {queue}", daemon=True)

    def open(self) -> None:
        """Begin to read. Raises `SubscriptionError`; once begun, a lost broker is only waited for."""
        try:
            self._channel = self._consume()
        except QueueInUse as error:
            _LOG.warning("%s; waiting for it to end", error)
        self._thread.start()

    def get(self) -> Delivery | None:
        """Wait for the next message; None after `wake`."""
        return self._deliveries.get()

    def wake(self) -> None:
        """May be called by any thread and in a signal handler."""
        self._deliveries.put(None)

    def acknowledge(self, delivery: Delivery) -> None:
        self._settle(delivery, partial(delivery.channel.basic_ack, delivery.tag))

    def reject(self, delivery: Delivery) -> None:
        """To the dead-letter queue."""
        self._settle(delivery, partial(delivery.channel.basic_reject, delivery.tag, requeue=False))

    def close(self) -> None:
        """Send what was acknowledged, give back what was not, and end the connection."""
        self._closing.set()
        # the last in the connection's line of callbacks, behind the acknowledgements
        if self._channel is not None:
            _call(self._channel.connection, self._finish)
        self._thread.join()

    def _settle(self, delivery: Delivery, answer: Callable[[], None]) -> None:
        def run() -> None:
            if delivery.is_current:
                answer()

        _call(delivery.channel.connection, run)

    def _finish(self) -> None:
        self._finished = True

    def _turn(self) -> None:
        while not self._closing.is_set():
            if self._channel is None:
                self._channel = self._reconnect()
            else:
                self._read(self._channel)
                self._channel = None
        if self._channel is not None:
            # connected again in the moment of `close`
            self._channel.connection.close()

    def _read(self, channel: BlockingChannel) -> None:
        connection = channel.connection
        try:
            while channel.is_open and channel.consumer_tags and not self._finished:
                connection.process_data_events(time_limit=_TURN_SECONDS)
            connection.close()
        except exceptions.AMQPError as error:
            _LOG.debug("connection ended: %r", error)
        if not self._closing.is_set():
            _LOG.warning("lost %s; connecting again", self._queue)

    def _reconnect(self) -> BlockingChannel | None:
        """Try until it works or `close` is called. Whatever refuses now may be a broker that is still starting."""
        failures = 0
        while not self._closing.wait(_RECONNECT_SECONDS[min(failures, len(_RECONNECT_SECONDS) - 1)]):
            try:
                channel = self._consume()
            except QueueInUse:
                # a stand-by takes over within a second
                failures = 1
            except SubscriptionError as error:
                failures += 1
                _LOG.warning("%s", error)
            else:
                _LOG.warning("reading %s", self._queue)
                return channel
        return None

    def _consume(self) -> BlockingChannel:
        connection = _connect(self._parameters)
        try:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=self._prefetch)
            channel.basic_consume(self._queue, self._on_message, exclusive=True)
        except exceptions.AMQPError as error:
            if connection.is_open:
                connection.close()
            raise _refusal(self._queue, error) from error
        return channel

    def _on_message(self, channel: BlockingChannel, method: pika.spec.Basic.Deliver, _: object, body: bytes) -> None:
        self._deliveries.put(Delivery(channel, method.delivery_tag, body))


def _parameters(amqp_uri: str, queue: str) -> pika.URLParameters:
    try:
        parameters = pika.URLParameters(amqp_uri)
    except (ValueError, IndexError, TypeError) as error:
        # the address holds a password: it is not repeated
        raise InvalidAddress("the address is not of the form amqp[s]://user:password@host:port/vhost") from error
    # how the broker's operators see who reads
    parameters.client_properties = {"connection_name": f"onehall-subscribe {queue}"}
    return parameters


def _connect(parameters: pika.URLParameters) -> BlockingConnection:
    where = f"{parameters.host}:{parameters.port}"
    try:
        return BlockingConnection(parameters)
    except (exceptions.AuthenticationError, exceptions.ProbableAuthenticationError) as error:
        raise AccessRefused(
            f"the broker at {where} refused user {parameters.credentials.username!r}: check name and password"
        ) from error
    except exceptions.ProbableAccessDeniedError as error:
        raise AccessRefused(f"the broker at {where} refused virtual host {parameters.virtual_host!r}") from error
    except (exceptions.AMQPError, OSError) as error:
        raise BrokerUnreachable(f"no broker answers at {where}: check the address and that it is running") from error


def _refusal(queue: str, error: exceptions.AMQPError) -> SubscriptionError:
    code, text = getattr(error, "reply_code", 0), getattr(error, "reply_text", repr(error))
    if code == _NOT_FOUND:
        return QueueNotFound(f"queue {queue!r} is not there: check the department's and the subscription's name")
    if code == _ACCESS_REFUSED and "exclusive" in text:
        return QueueInUse(f"queue {queue!r} is being read by another subscriber")
    if code == _ACCESS_REFUSED:
        return AccessRefused(f"this account may not read queue {queue!r}")
    return BrokerUnreachable(f"reading queue {queue!r} failed: {text}")


def _call(connection: BlockingConnection, callback: Callable[[], None]) -> None:
    """In the connection's own thread. When it is gone there is nothing to say: its messages come again."""
    try:
        connection.add_callback_threadsafe(callback)
    except exceptions.ConnectionWrongStateError:
        _LOG.debug("connection is gone")
