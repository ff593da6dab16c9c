"""One queue's messages from one broker connection that makes itself anew.

pika's blocking connection answers heartbeats only while somebody turns it, so a thread of its own does nothing else:
a handler may take minutes and the broker does not give the department up. The handler itself runs in the thread that
asks for messages, where its database connections live. Nothing but `add_callback_threadsafe` crosses between them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from urllib.parse import urlsplit

import pika
from pika import exceptions
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from contracts.envelope import REPLAY_HEADER
from departments.credentials import THIS_MACHINE, AccessToken, ClientCredentials
from departments.errors import AccessRefused, BrokerUnreachable, InvalidAddress, QueueNotFound, SubscriptionError
from departments.renewal import Renewal, in_connection

_LOG = logging.getLogger(__name__)
_TURN_SECONDS = 1.0
_RECONNECT_SECONDS = (0.2, 1.0, 2.0, 5.0)
_REFUSED_SECONDS = (1.0, 5.0, 15.0, 60.0)
"""Whatever refuses now may be a broker that is still starting; a person who has to do something takes longer."""
_ACCESS_REFUSED, _NOT_FOUND = 403, 404


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that waits for its acknowledgement, on the channel that brought it.

    `replay` is the id of the replay that was asked for, where it is sent again for that.
    """

    channel: BlockingChannel
    tag: int
    body: bytes
    replay: str | None

    @property
    def is_current(self) -> bool:
        """Not so when its channel is gone: then the broker hands the message out again."""
        return bool(self.channel.is_open)


class Feed:
    """Reads `queue` until it is closed. Declares nothing: the department's account may only read.

    With `credentials` it signs in with access tokens, and `amqp_uri` has no account of its own.
    """

    def __init__(self, amqp_uri: str, queue: str, prefetch: int, credentials: ClientCredentials | None) -> None:
        self._parameters = _parameters(amqp_uri, queue, credentials)
        self._credentials = credentials
        self._queue = queue
        self._prefetch = prefetch
        self._deliveries: SimpleQueue[Delivery | None] = SimpleQueue()
        self._closing = threading.Event()
        self._finished = False
        self._error: Exception | None = None
        self._channel: BlockingChannel | None = None
        self._thread = threading.Thread(target=self._turn, name=f"feed {queue}", daemon=True)

    def open(self) -> None:
        """Begin to read. Raises `SubscriptionError`; once begun, a lost broker is only waited for."""
        self._channel = self._consume()
        self._thread.start()

    def get(self) -> Delivery | None:
        """Wait for the next message; None after `wake`. Raises what ended the connection's thread."""
        delivery = self._deliveries.get()
        if self._error is not None:
            raise self._error
        return delivery

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
            in_connection(self._channel.connection, self._finish)
        self._thread.join()

    def _settle(self, delivery: Delivery, answer: Callable[[], None]) -> None:
        def run() -> None:
            if delivery.is_current:
                answer()

        in_connection(delivery.channel.connection, run)

    def _finish(self) -> None:
        self._finished = True

    def _turn(self) -> None:
        try:
            self._read_and_reconnect()
        except Exception as error:
            # whatever it is, whoever waits for messages must not wait for ever
            self._error = error
            if self._channel is not None:
                _close(self._channel.connection)
            self.wake()

    def _read_and_reconnect(self) -> None:
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
        reason = "it ended"
        try:
            while channel.is_open and channel.consumer_tags and not self._finished:
                connection.process_data_events(time_limit=_TURN_SECONDS)
        except exceptions.AMQPError as error:
            reason = _text_of(error)
        _close(connection)
        if not self._closing.is_set():
            _LOG.warning("lost %s (%s); connecting again", self._queue, reason)

    def _reconnect(self) -> BlockingChannel | None:
        """Try until it works or `close` is called, with growing pauses. Each reason is told once."""
        pause, failures, told = _RECONNECT_SECONDS[0], 0, ""
        while not self._closing.wait(pause):
            try:
                channel = self._consume()
            except SubscriptionError as error:
                if str(error) != told:
                    told = str(error)
                    _LOG.warning("%s; trying again until it works", told)
                pauses = _REFUSED_SECONDS if isinstance(error, AccessRefused) else _RECONNECT_SECONDS
                pause = pauses[min(failures, len(pauses) - 1)]
                failures += 1
            else:
                _LOG.warning("reading %s", self._queue)
                return channel
        return None

    def _consume(self) -> BlockingChannel:
        token = self._credentials.fetch_token() if self._credentials else None
        connection = _connect(self._parameters, token)
        try:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=self._prefetch)
            consume = partial(channel.basic_consume, self._queue, self._on_message)
            consume()
        except exceptions.AMQPError as error:
            _close(connection)
            raise _refusal(self._queue, self._parameters.credentials.username, error) from error
        if self._credentials is not None and token is not None:
            Renewal(channel, consume, self._credentials.fetch_token, token)
        return channel

    def _on_message(
        self,
        channel: BlockingChannel,
        method: pika.spec.Basic.Deliver,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        replay = (properties.headers or {}).get(REPLAY_HEADER)
        self._deliveries.put(Delivery(channel, method.delivery_tag, body, replay))


def _parameters(amqp_uri: str, queue: str, credentials: ClientCredentials | None) -> pika.URLParameters:
    try:
        parameters = pika.URLParameters(amqp_uri)
        has_account = urlsplit(amqp_uri).username is not None
    except (ValueError, IndexError, TypeError) as error:
        # the address may hold a password: it is not repeated
        raise InvalidAddress("the address is not of the form amqp[s]://[user:password@]host:port/vhost") from error
    if credentials is not None:
        if has_account:
            raise InvalidAddress("a client signs in with tokens: leave the account out of the broker's address")
        if parameters.ssl_options is None and parameters.host not in THIS_MACHINE:
            # whoever reads the token on its way reads the events (RFC 6750, section 5.3)
            raise InvalidAddress("the broker's address must begin with amqps:// (amqp:// only on this very machine)")
        parameters.credentials = pika.PlainCredentials(credentials.client_id, "")
    # how the broker's operators see who reads
    parameters.client_properties = {"connection_name": f"onehall-subscribe {queue}"}
    return parameters


def _connect(parameters: pika.URLParameters, token: AccessToken | None) -> BlockingConnection:
    where = f"{parameters.host}:{parameters.port}"
    user = parameters.credentials.username
    if token is not None:
        parameters.credentials = pika.PlainCredentials(user, token.value)
    try:
        return BlockingConnection(parameters)
    except (exceptions.AuthenticationError, exceptions.ProbableAuthenticationError) as error:
        what = "check name and password" if token is None else "ask the platform's operator whether it may read events"
        raise AccessRefused(f"the broker at {where} refused {user!r}: {what}") from error
    except exceptions.ProbableAccessDeniedError as error:
        raise AccessRefused(f"the broker at {where} refused virtual host {parameters.virtual_host!r}") from error
    except (exceptions.AMQPError, AMQPConnectorException, OSError) as error:
        # a broker that froze takes too long, which pika says by a class that is no `AMQPError`
        raise BrokerUnreachable(f"no broker answers at {where}: check the address and that it is running") from error


def _refusal(queue: str, user: str, error: exceptions.AMQPError) -> SubscriptionError:
    code = getattr(error, "reply_code", 0)
    if code == _NOT_FOUND:
        return QueueNotFound(f"queue {queue!r} is not there: check the department's and the subscription's name")
    if code == _ACCESS_REFUSED:
        return AccessRefused(f"{user!r} may not read queue {queue!r}: only those of its own department or organisation")
    return BrokerUnreachable(f"reading queue {queue!r} failed: {_text_of(error)}")


def _text_of(error: exceptions.AMQPError) -> str:
    """The broker's own words where it gave any."""
    return str(getattr(error, "reply_text", "") or type(error).__name__)


def _close(connection: BlockingConnection) -> None:
    if connection.is_open:
        with suppress(exceptions.AMQPError):
            connection.close()
