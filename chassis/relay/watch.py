"""Compares the declared topology with the broker's every few seconds, and measures every queue.

`mandatory` tells only of an event that reached no queue at all; a lost queue among several is found here.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from typing import Any

import pika
import psycopg2
from pika.exceptions import AMQPError, ChannelClosedByBroker

from chassis import broker, metrics
from chassis.relay.publisher import connection_parameters
from chassis.relay.store import SubscriptionStore
from contracts import topology

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 5.0
SUBSCRIPTION_SECONDS = 0.5
_NOT_FOUND = 404


class TopologyWatch:
    """Runs beside a relay that leads, in a thread of its own, from `start` to `stop`."""

    def __init__(self, amqp_uri: str, database_url: str, source: str) -> None:
        self._amqp_uri = amqp_uri
        self._database_url = database_url
        self._source = source
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_SECONDS):
            try:
                self._look_until_stopped()
            except (AMQPError, OSError, psycopg2.Error) as error:
                log.warning("the queues cannot be looked at (%r); trying again", error)

    def _look_until_stopped(self) -> None:
        with (
            closing(pika.BlockingConnection(connection_parameters(self._amqp_uri))) as connection,
            closing(SubscriptionStore(self._database_url)) as store,
        ):
            looked_at = 0.0
            while not self._stopped.is_set():
                self._take_up_subscriptions(connection, store)
                if time.monotonic() - looked_at > INTERVAL_SECONDS:
                    looked_at = time.monotonic()
                    for queue in store.queues(self._source):
                        self._look_at(connection, queue)
                connection.sleep(SUBSCRIPTION_SECONDS)

    def _take_up_subscriptions(self, connection: Any, store: SubscriptionStore) -> None:
        channel = connection.channel()
        for queue in store.ended(self._source):
            channel.queue_delete(queue.name)
            channel.queue_delete(queue.dead)
            store.set_removed(queue)
        queues = {queue.name: queue for queue in store.queues(self._source)}
        for replay, name in store.open_replays():
            if name in queues:
                broker.declare(channel, [queues[name]])
            store.finish(replay)
        channel.close()

    def _look_at(self, connection: Any, queue: topology.Queue) -> None:
        waiting = [_depth(connection, name) for name in (queue.name, *map(queue.retry, queue.retry_delays))]
        dead = _depth(connection, queue.dead)
        if None in (*waiting, dead):
            log.error("queue %s or one that belongs to it was lost; it is declared again", queue.name)
            metrics.queue_restored.labels(queue.name).inc()
            broker.declare(connection.channel(), [queue])
        metrics.queue_messages.labels(queue.name).set(sum(depth or 0 for depth in waiting))
        metrics.dead_letters.labels(queue.name).set(dead or 0)


def _depth(connection: Any, name: str) -> int | None:
    """Messages ready in a queue; None if there is no such queue."""
    channel = connection.channel()
    try:
        depth = channel.queue_declare(name, passive=True).method.message_count
    except ChannelClosedByBroker as error:
        if error.reply_code != _NOT_FOUND:
            raise
        return None
    channel.close()
    return int(depth)
