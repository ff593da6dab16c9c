"""Compares the declared topology with the broker's, has what was lost restored, and measures every queue.

`mandatory` tells only of an event that reached no queue at all; a lost queue among several is found here, and so is a
lost binding. Either is restored by letting the queue go live again: a queue from where it was surely handled
(`chassis.relay.handled`), one that only missed events from where it was last seen whole.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from chassis import broker, metrics
from chassis.relay.handled import Handled, Mark, Waiting
from chassis.relay.management import Broker, Depth, Management
from chassis.relay.publisher import Publisher
from chassis.relay.replay_store import Known, ReplayStore
from chassis.relay.replayer import Replayer
from contracts import topology

log = logging.getLogger(__name__)


class Watch:
    """Looks for one term as leader, in the thread and on the channel of `chassis.relay.upkeep`."""

    def __init__(
        self, channel: Any, store: ReplayStore, publisher: Publisher, replayer: Replayer, management: Management
    ) -> None:
        self._channel = channel
        self._store = store
        self._publisher = publisher
        self._replayer = replayer
        self._management = management
        self._handled: defaultdict[str, Handled] = defaultdict(Handled)
        self._has_looked = False

    def look(self, queues: Iterable[topology.Queue]) -> None:
        """Raises `httpx2.HTTPError` when the broker's management does not answer."""
        position = self._publisher.position
        seen = self._management.look()
        known = self._store.known()
        going_live = {replay.queue for replay in self._store.open_replays() if not replay.is_repeat}
        marks: dict[str, Mark] = {}
        intact: dict[str, int] = {}
        for queue in queues:
            waiting = self._measure(queue, seen, position)
            if queue.name in going_live:
                self._look_at_filling(queue, seen, known)
            elif self._is_intact(queue, seen, known):
                intact[queue.name] = waiting.total - waiting.dead if waiting else 0
                mark = self._handled[queue.name].look(position, waiting) if waiting else None
                marks |= {queue.name: mark} if mark else {}
        self._store.save_looks(intact, position)
        self._store.save_marks(marks)
        self._has_looked = True

    def forget(self, queue: topology.Queue) -> None:
        """It is removed for good; what was seen of it says nothing of one that is made later under the same name."""
        self._handled.pop(queue.name, None)

    def _look_at_filling(self, queue: topology.Queue, seen: Broker, known: dict[str, Known]) -> None:
        """A queue that is going live, and may be lost while it does."""
        self._handled[queue.name].lose_sight()
        if queue.name in known and not seen.queues.keys() >= set(queue.parts):
            self._restore(queue, self._store.handled(queue), "lost while it went live")

    def _is_intact(self, queue: topology.Queue, seen: Broker, known: dict[str, Known]) -> bool:
        """Whether nothing of it is missing; if something is, it is restored."""
        is_there = seen.queues.keys() >= set(queue.parts)
        if queue.name not in known:
            self._meet(queue, is_there)
        elif not is_there:
            self._restore(queue, self._store.handled(queue), "lost queue")
        elif not seen.bindings >= broker.bindings(queue):
            self._bind_again(queue, known[queue.name].intact)
        else:
            return True
        return False

    def _bind_again(self, queue: topology.Queue, position: int) -> None:
        """At the first look of a term this may be a new version's new routing key, which nobody lost."""
        if self._has_looked:
            self._restore(queue, position, "lost binding")
        else:
            log.warning("%s is not bound as it should be; it is given everything from %s on", queue.name, position)
            self._replayer.begin(queue, position, "new binding")

    def _meet(self, queue: topology.Queue, is_there: bool) -> None:
        """See a queue for the first time: one of an earlier version stands as it is, a new one hears all history."""
        if is_there:
            broker.declare(self._channel, [queue])
            self._store.know(queue.name, 0)
        else:
            self._replayer.begin(queue, 0, "new queue")

    def _restore(self, queue: topology.Queue, position: int, reason: str) -> None:
        self._handled[queue.name].lose_sight()
        self._replayer.restore(queue, position, reason)

    def _measure(self, queue: topology.Queue, seen: Broker, position: int) -> Waiting | None:
        """Tell the metrics; None if the broker does not know how much waits."""
        depths = [seen.queues.get(name, Depth(0, 0)) for name in queue.parts]
        if None in depths:
            self._handled[queue.name].lose_sight()
            return None
        (main, dead, *retries) = [depth for depth in depths if depth is not None]
        waiting = Waiting(main.ready, main.in_hand, sum(depth.ready for depth in retries), dead.ready + dead.in_hand)
        metrics.queue_messages.labels(queue.name).set(waiting.ready + waiting.retrying)
        metrics.queue_in_hand.labels(queue.name).set(waiting.in_hand)
        metrics.dead_letters.labels(queue.name).set(waiting.dead)
        metrics.queue_oldest_seconds.labels(queue.name).set(self._oldest_seconds(queue, waiting, position))
        return waiting

    def _oldest_seconds(self, queue: topology.Queue, waiting: Waiting, position: int) -> float:
        """Age of the oldest event that waits; infinite if it is too far back to be looked up."""
        count = waiting.total - waiting.dead
        if not count:
            return 0.0
        saved_at = self._store.saved_at(queue, position, count)
        return (datetime.now(UTC) - saved_at).total_seconds() if saved_at else math.inf
