"""Many messages in one write.

pika makes three writes and two dozen calls of a message, which is most of what publishing one costs. The bytes here are
still pika's; what is the same for many messages is made once: the method for a routing key, and the header for a body's
size but for the event's id in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pika
from pika import frame
from pika.spec import PERSISTENT_DELIVERY_MODE, Basic, BasicProperties

from chassis.relay.messages import Row
from contracts import topology
from contracts.envelope import CONTENT_TYPE

REPLAY_HEADER = "onehall-replay"
OTHER_KEYS_HEADER = "BCC"
"""RabbitMQ's "sender-selected distribution": one message routed by several keys, once to each queue, under one confirm.
The broker takes the header off before anybody reads the message."""

_ANY_ID = "00000000-0000-0000-0000-000000000000"
_REMEMBERED = 4096


class Connection(pika.SelectConnection):
    """Every message is persistent, and comes back if it reaches no queue."""

    def publish(self, channel: Any, exchange: str, rows: Iterable[Row]) -> None:
        """By the rows' routing keys, each to every queue that is bound to any of its own."""
        self._publish(channel.channel_number, ((exchange, row.routing_key, row) for row in rows), None, is_by_keys=True)

    def publish_to(self, channel: Any, queue: str, rows: Iterable[Row], replay: str | None) -> None:
        """Straight to a queue, through its own way back; `replay` is the id of one that was asked for."""
        back = topology.back(queue)
        self._publish(channel.channel_number, ((back, queue, row) for row in rows), replay)

    def _publish(
        self,
        channel: int,
        messages: Iterable[tuple[str, str, Row]],
        replay: str | None,
        *,
        is_by_keys: bool = False,
    ) -> None:
        most = self._body_max_length
        pieces: list[bytes] = []
        for exchange, routing_key, row in messages:
            body = row.body.encode()
            others = tuple(row.other_keys) if is_by_keys and row.other_keys else ()
            header, rest = _header(channel, len(body), replay, others)
            pieces += (_method(channel, exchange, routing_key), header, row.event_id.encode(), rest)
            pieces += [frame.Body(channel, body[at : at + most]).marshal() for at in range(0, len(body), most)]
        if pieces:
            self._output_marshaled_frames([b"".join(pieces)])


@lru_cache(_REMEMBERED)
def _method(channel: int, exchange: str, routing_key: str) -> bytes:
    method = Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=True)
    marshalled: bytes = frame.Method(channel, method).marshal()
    return marshalled


@lru_cache(_REMEMBERED)
def _header(channel: int, size: int, replay: str | None, other_keys: tuple[str, ...]) -> tuple[bytes, bytes]:
    """What comes before and behind the event's id."""
    headers = ({REPLAY_HEADER: replay} if replay else {}) | ({OTHER_KEYS_HEADER: [*other_keys]} if other_keys else {})
    properties = BasicProperties(
        content_type=CONTENT_TYPE,
        delivery_mode=PERSISTENT_DELIVERY_MODE,
        message_id=_ANY_ID,
        headers=headers or None,
    )
    before, _, behind = frame.Header(channel, size, properties).marshal().partition(_ANY_ID.encode())
    return before, behind
