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
        for delay in topology.RETRY_DELAYS:
            _declare_queue(channel, queue.retry(delay), queue.retry_arguments(delay))
        for pattern in queue.patterns:
            channel.queue_bind(queue=queue.name, exchange=topology.exchange(queue.source), routing_key=pattern)


def declare_exchange(channel: Any, source: str) -> None:
    channel.exchange_declare(topology.exchange(source), "topic", durable=True, auto_delete=False)


def _declare_queue(channel: Any, name: str, arguments: dict[str, Any]) -> None:
    channel.queue_declare(queue=name, durable=True, auto_delete=False, arguments=arguments)
