"""Dead letters: what a subscriber could not handle, and what an operator does with it.

Looking takes a message without acknowledging it; whatever was not redriven or discarded goes back when the channel
closes. A redrive publishes with a confirm and acknowledges then: killed in between, the event comes twice and the
second is a duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker

from chassis import inbox
from chassis.database import Database
from contracts import topology
from contracts.envelope import CONTENT_TYPE, REPLAY_HEADER, Envelope, UnreadableEvent

_NOT_FOUND = 404
MOST = 10_000
"""How many dead letters of one queue are looked at in one go."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message in hand. `envelope` is None when nobody can read it.

    `replay` is the id of the replay that had brought it again, if one was asked for.
    """

    queue: topology.Queue
    tag: int
    body: bytes
    envelope: Envelope | None
    replay: str | None

    @property
    def order(self) -> tuple[str, int]:
        """Redriving in this order keeps each case's."""
        return (self.envelope.subject, self.envelope.sequence) if self.envelope else ("", self.tag)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters are meant; what is None does not matter."""

    event_id: str | None = None
    type: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, letter: DeadLetter) -> bool:
        envelope = letter.envelope
        if envelope is None:
            return self == Filter()
        return (
            self.event_id in (None, envelope.id)
            and self.type in (None, envelope.type)
            and self.subject in (None, envelope.subject)
            and (self.since is None or envelope.time >= self.since)
            and (self.until is None or envelope.time < self.until)
        )


class DeadLetters:
    """The dead letters of one queue, over one channel."""

    def __init__(self, channel: Any, queue: topology.Queue) -> None:
        self._channel = channel
        self._queue = queue
        channel.confirm_delivery()

    def take(self, wanted: Filter) -> list[DeadLetter]:
        """Those that match, in the order of their cases; they stay this channel's until it closes."""
        return sorted(
            (letter for letter in self._take_all() if wanted.matches(letter)), key=lambda letter: letter.order
        )

    def redrive(self, letter: DeadLetter) -> None:
        """Put it into its subscriber's queue again, with all its attempts."""
        _publish(self._channel, self._queue, letter.body, letter.replay)
        self._channel.basic_ack(letter.tag)

    def discard(self, letter: DeadLetter, database: Database | None) -> None:
        """Give it up. With the subscriber's `database` its case goes on behind it."""
        if database is not None and letter.envelope is not None:
            with database.transaction() as session:
                successor = inbox.skip(session, letter.envelope)
            if successor is not None:
                _publish(self._channel, self._queue, successor.to_json().encode(), None)
                with database.transaction() as session:
                    inbox.unpark(session, successor)
        self._channel.basic_ack(letter.tag)

    def _take_all(self) -> Iterator[DeadLetter]:
        for _ in range(MOST):
            try:
                method, properties, body = self._channel.basic_get(self._queue.dead)
            except ChannelClosedByBroker as error:
                if error.reply_code != _NOT_FOUND:
                    raise
                # of a subscription that has just begun or ended: what is not there holds none
                return
            if method is None:
                return
            replay = (properties.headers or {}).get(REPLAY_HEADER)
            yield DeadLetter(self._queue, method.delivery_tag, body, _read(body), replay)


@contextmanager
def open_channel(amqp_uri: str) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
    try:
        yield connection.channel()
    finally:
        connection.close()


def queues(subscriber: str | None, subscriptions: Iterable[topology.Queue]) -> list[topology.Queue]:
    """Every subscriber's queues, or one's: a service's name, or a queue's whole name."""
    ours = [queue for source in topology.publishers() for queue in topology.service_queues(source)]
    known = [*ours, *subscriptions]
    return [queue for queue in known if subscriber in (None, queue.name, queue.name.split(".")[0])]


def _read(body: bytes) -> Envelope | None:
    try:
        return Envelope.from_json(body)
    except UnreadableEvent:
        return None


def _publish(channel: Any, queue: topology.Queue, body: bytes, replay: str | None) -> None:
    # without the replay's id, who has handled the event once would take it for a double
    headers = {REPLAY_HEADER: replay} if replay else None
    properties = pika.BasicProperties(content_type=CONTENT_TYPE, delivery_mode=2, headers=headers)
    channel.basic_publish(queue.back, queue.name, body, properties, mandatory=True)
