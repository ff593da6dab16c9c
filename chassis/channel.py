"""A consumer's own channel, on which it also publishes: confirms arrive in the loop that drains the connection."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from amqp.basic_message import Message as AmqpMessage
from amqp.exceptions import AMQPError
from kombu.message import Message

log = logging.getLogger(__name__)

Callback = Callable[[], None]


class ConfirmingChannel:
    """Wraps a py-amqp channel. A lost connection is silent here: the broker hands out again what was unfinished."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        # frames of two greenlets must not mix on the socket
        self._writing = threading.Lock()
        self._published = 0
        self._waiting: dict[int, tuple[Callback, Callback]] = {}
        # a message knows the channel that delivered it, and through it finds this
        channel.confirming = self
        channel.confirm_select()
        channel.events["basic_ack"].add(lambda tag, multiple: self._settle(tag, multiple, confirmed=True))
        channel.events["basic_nack"].add(lambda tag, multiple: self._settle(tag, multiple, confirmed=False))

    def publish(self, message: AmqpMessage, queue: str, *, confirmed: Callback, refused: Callback) -> None:
        """Publish to one queue through the default exchange; exactly one of the callbacks follows, or neither."""
        with self._lossy():
            self._published += 1
            self._waiting[self._published] = (confirmed, refused)
            self._channel.basic_publish(message, exchange="", routing_key=queue)

    def ack(self, message: Message) -> None:
        with self._lossy():
            message.ack()

    def reject(self, message: Message, *, requeue: bool) -> None:
        """Without `requeue` the message goes to the queue's dead letters."""
        with self._lossy():
            message.reject(requeue=requeue)

    @contextmanager
    def _lossy(self) -> Iterator[None]:
        with self._writing:
            try:
                yield
            except (AMQPError, OSError) as error:
                log.info("the broker's connection is gone (%s); it will hand the message out again", error)

    def _settle(self, tag: int, multiple: bool, *, confirmed: bool) -> None:
        tags = [waiting for waiting in self._waiting if waiting == tag or (multiple and waiting < tag)]
        for settled in tags:
            on_confirmed, on_refused = self._waiting.pop(settled)
            (on_confirmed if confirmed else on_refused)()
