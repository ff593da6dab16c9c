"""The broker's part of the topology: exchanges, quorum queues, retry queues, dead-letter queues, bindings.

Declared by whoever needs it first, a relay or a subscriber; declaring again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts import topology


def declare(channel: Any, queues: Iterable[topology.Queue]) -> None:
    """`channel` is pika's blocking one or py-amqp's: both take these calls as they stand."""
    for queue in queues:
        declare_exchange(channel, queue.source)
        _declare_queue(channel, queue.dead, topology.DEAD_ARGUMENTS)
        _declare_queue(channel, queue.name, queue.arguments)
        if queue.retry_delays:
            _declare_retries(channel, queue)
        bind(channel, queue)


def bind(channel: Any, queue: topology.Queue) -> None:
    """Let events come into it from now on."""
    for pattern in queue.patterns:
        channel.queue_bind(queue=queue.name, exchange=topology.exchange(queue.source), routing_key=pattern)


def _declare_retries(channel: Any, queue: topology.Queue) -> None:
    """The subscriber may write to this one exchange, through which nothing but its own queue can be reached."""
    channel.exchange_declare(queue.back, "direct", durable=True, auto_delete=False)
    for delay in queue.retry_delays:
        _declare_queue(channel, queue.retry(delay), queue.retry_arguments(delay))
    for name in (queue.name, *map(queue.retry, queue.retry_delays)):
        channel.queue_bind(queue=name, exchange=queue.back, routing_key=name)


def declare_exchange(channel: Any, source: str) -> None:
    channel.exchange_declare(topology.exchange(source), "topic", durable=True, auto_delete=False)


def _declare_queue(channel: Any, name: str, arguments: dict[str, Any]) -> None:
    channel.queue_declare(queue=name, durable=True, auto_delete=False, arguments=arguments)
