"""The broker's part of the topology: exchanges, quorum queues, retry queues, dead-letter queues, bindings.

Declared by whoever needs it first, a relay or a subscriber; declaring again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pika.exceptions import ChannelClosedByBroker

from contracts import topology

_NOT_FOUND, _PRECONDITION_FAILED = 404, 406


def declare(channel: Any, queues: Iterable[topology.Queue]) -> None:
    """`channel` is pika's blocking one."""
    for queue in queues:
        declare_unbound(channel, queue)
        bind(channel, queue)


def declare_unbound(channel: Any, queue: topology.Queue) -> None:
    """A queue and all that belongs to it, without the bindings that let events come into it."""
    declare_exchange(channel, queue.source)
    channel.exchange_declare(queue.back, "direct", durable=True, auto_delete=False)
    for name, arguments in queue.declared.items():
        if name == queue.dead:
            _declare_unless_made_otherwise(channel.connection, name, arguments)
        else:
            channel.queue_declare(queue=name, durable=True, auto_delete=False, arguments=arguments)
    for name in queue.parts:
        channel.queue_bind(queue=name, exchange=queue.back, routing_key=name)


def bind(channel: Any, queue: topology.Queue) -> None:
    """Let events come into it from now on."""
    for pattern in queue.patterns:
        channel.queue_bind(queue=queue.name, exchange=topology.exchange(queue.source), routing_key=pattern)


def unbind(channel: Any, queue: topology.Queue) -> None:
    """Let no more events come into it; it is there."""
    for pattern in queue.patterns:
        channel.queue_unbind(queue=queue.name, exchange=topology.exchange(queue.source), routing_key=pattern)


def exists(connection: Any, name: str) -> bool:
    """Whether there is a queue of that name; `connection` is pika's blocking one."""
    channel = connection.channel()
    try:
        channel.queue_declare(name, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return False
    channel.close()
    return True


def bindings(queue: topology.Queue) -> frozenset[tuple[str, str, str]]:
    """What lets events come into it, and back into it: exchange, queue, routing key."""
    heard = {(topology.exchange(queue.source), queue.name, pattern) for pattern in queue.patterns}
    return frozenset(heard | {(queue.back, name, name) for name in queue.parts})


def _declare_unless_made_otherwise(connection: Any, name: str, arguments: dict[str, Any]) -> None:
    """Dead letters are nowhere else, so where they wait stays as an earlier version made it."""
    channel = connection.channel()
    try:
        channel.queue_declare(queue=name, durable=True, auto_delete=False, arguments=arguments)
    except ChannelClosedByBroker as error:
        if error.reply_code != _PRECONDITION_FAILED:
            raise
    else:
        channel.close()


def declare_exchange(channel: Any, source: str) -> None:
    channel.exchange_declare(topology.exchange(source), "topic", durable=True, auto_delete=False)
