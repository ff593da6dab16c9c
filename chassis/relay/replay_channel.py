"""The channel on which rows of the history go straight to one queue, through its own way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import pika
from pika.exceptions import AMQPConnectionError

from chassis.relay.confirms import Confirms
from chassis.relay.messages import Row
from chassis.relay.wire import Connection


class QueueLost(Exception):
    """Args: the queue. A message sent straight to it came back."""


class ReplayChannel:
    """Lives on the publisher's loop and takes one batch at a time. `fail` ends the term."""

    def __init__(self, fail: Callable[[BaseException], None]) -> None:
        self._fail = fail
        self._in_flight: Confirms[Row] = Confirms()
        self._batch: Future[None] = Future()
        self._queue = ""
        self._is_lost = False

    def open(self, connection: Connection, channel: Any) -> None:
        self._connection = connection
        self._channel = channel

    def send(self, batch: Future[None], queue: str, rows: Sequence[Row], replay: str | None) -> None:
        """Publish a batch of at least one row; `batch` is done when all are confirmed, or fails with `QueueLost`."""
        self._batch, self._queue, self._is_lost = batch, queue, False
        for row in rows:
            self._in_flight.add(row)
        self._connection.publish_to(self._channel, queue, rows, replay)

    def abandon(self, error: BaseException) -> None:
        if not self._batch.done():
            self._batch.set_exception(error)

    def on_confirm(self, frame: Any) -> None:
        method = frame.method
        if isinstance(method, pika.spec.Basic.Nack):
            self._fail(AMQPConnectionError("the broker refused an event of a replay, which goes on from before it"))
            return
        self._in_flight.take(method.delivery_tag, method.multiple)
        if self._in_flight:
            return
        if self._is_lost:
            self._batch.set_exception(QueueLost(self._queue))
        else:
            self._batch.set_result(None)

    def on_return(self, *_: object) -> None:
        """Comes before the confirm of the same message."""
        self._is_lost = True
