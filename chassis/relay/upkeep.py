"""Beside the publisher, for one term as leader: subscriptions taken up and ended, replays, the watch, the history.

One thread with a connection of its own to the broker and to the database, so that none of it holds up publishing.
"""

from __future__ import annotations

import logging
import threading
import time

import httpx2
import pika

from chassis import broker, metrics
from chassis.relay.management import Management
from chassis.relay.publisher import Publisher, connection_parameters
from chassis.relay.replay_store import ReplayStore
from chassis.relay.replayer import Replayer
from chassis.relay.retention import Retention
from chassis.relay.watch import Watch

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
LOOK_SECONDS = 5.0
RETENTION_SECONDS = 600.0


class Upkeep:
    """From construction on, before the term publishes anything, until `stop()`. A failure ends the term."""

    def __init__(
        self,
        source: str,
        amqp_uri: str,
        store: ReplayStore,
        publisher: Publisher,
        management: Management,
        retention: Retention,
    ) -> None:
        self._source = source
        self._store = store
        self._publisher = publisher
        self._retention = retention
        self._connection = pika.BlockingConnection(connection_parameters(amqp_uri))
        self._channel = self._connection.channel()
        self._replayer = Replayer(self._channel, store, publisher)
        self._watch = Watch(self._channel, store, publisher, self._replayer, management)
        self._stopped = threading.Event()
        self._looked_at = self._kept_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._discard_outdated(management)
        broker.declare_exchange(self._channel, source)
        self._replayer.unbind()

    def _discard_outdated(self, management: Management) -> None:
        """A queue's arguments cannot be changed: one of an earlier version is as good as lost, and filled again.

        Not its dead letters, which are nowhere else.
        """
        try:
            found = management.look().arguments
        except httpx2.HTTPError as error:
            log.warning("queues of an earlier version cannot be looked for (%r)", error)
            return
        for queue in self._store.queues().values():
            for name, arguments in queue.declared.items():
                if name != queue.dead and found.get(name, arguments) != arguments:
                    log.warning("%s was declared by an earlier version; it is made anew", name)
                    self._channel.queue_delete(name)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float | None) -> None:
        """Once the publisher has ended. Wait so long at most for what is under way; None: until it is done."""
        self._stopped.set()
        self._publisher.ready.set()
        self._thread.join(seconds)
        if not self._thread.is_alive() and self._connection.is_open:
            self._connection.close()

    def _run(self) -> None:
        self._publisher.ready.wait()
        try:
            while not self._stopped.is_set():
                if not self._turn():
                    self._store.wait(POLL_SECONDS)
        except Exception as error:
            self._publisher.fail(error)

    def _turn(self) -> bool:
        """Do what is due and one batch of a replay. Whether there was a replay."""
        self._connection.process_data_events(0)
        self._remove_ended()
        self._look_when_due()
        self._keep_when_due()
        return self._replayer.step()

    def _remove_ended(self) -> None:
        for subscription, queue in self._store.ended():
            for name in queue.parts:
                self._channel.queue_delete(name)
            self._channel.exchange_delete(queue.back)
            self._store.forget(subscription, queue)
            self._replayer.forget(queue)
            self._watch.forget(queue)
            metrics.forget_queue(queue.name)
            log.info("%s has ended and is removed", queue.name)

    def _look_when_due(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._measure_replays()
        try:
            self._watch.look(self._store.queues().values())
        except httpx2.HTTPError as error:
            log.warning("the queues cannot be looked at (%r); trying again", error)
        else:
            metrics.relay_looked.labels(self._source).set_to_current_time()
        # counted from its end: a look that takes long must leave time for replays
        self._looked_at = time.monotonic()

    def _measure_replays(self) -> None:
        replays = self._store.open_replays()
        ends = [(replay.until or self._publisher.position) - replay.position for replay in replays]
        metrics.replays_open.labels(self._source).set(len(replays))
        metrics.replays_remaining.labels(self._source).set(sum(ends))

    def _keep_when_due(self) -> None:
        if time.monotonic() - self._kept_at > RETENTION_SECONDS:
            self._kept_at = time.monotonic()
            self._retention.keep()
