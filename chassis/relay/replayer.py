"""Sends the history to queues that ask for it: to go live from somewhere on, or a range once more.

A queue goes live without a gap, a double or an event out of turn: while it is bound to nothing it is given everything
up to nearly the end; then publishing stops for a moment, it is given the rest and bound, and publishing goes on. What
was sent is saved after each batch. After a crash anywhere the next leader unbinds the queue and goes on from what was
saved: it may send some events again, behind their first sending, and subscribers know them by their ids.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

from chassis import broker, failpoints, metrics
from chassis.relay.publisher import Publisher
from chassis.relay.replay_channel import QueueLost
from chassis.relay.replay_store import Replay, ReplayStore
from contracts import topology

log = logging.getLogger(__name__)

BATCH = 200
"""Events in one batch. While it is written, new ones wait: some milliseconds."""

NEAR = 1000
"""Positions that may be left when publishing stops for a queue to go live."""

BUSY_SHARE = 3
"""While more is new than can be published, a replay rests this many times as long as each batch takes."""

TIMEOUT_SECONDS = 60.0


class Replayer:
    """Works for one term as leader, in the thread and on the channel of `chassis.relay.upkeep`."""

    def __init__(self, channel: Any, store: ReplayStore, publisher: Publisher) -> None:
        self._channel = channel
        self._store = store
        self._publisher = publisher
        self._turns: dict[str, int] = {}
        self._unbound: set[str] = set()

    def unbind(self) -> None:
        """Before the term publishes: no queue that is to go live hears anything until then."""
        replays, queues = self._store.open_replays(), self._store.queues()
        for replay in replays:
            if replay.queue in queues and not replay.is_repeat:
                self._prepare(replay, queues[replay.queue])

    def step(self) -> bool:
        """Send one batch of the replay whose turn it is. Whether there was anything to do."""
        replay = self._next(self._store.open_replays())
        if replay is None:
            return False
        self._turns[replay.id] = max(self._turns.values(), default=0) + 1
        started = time.monotonic()
        # read after the replay, which is committed together with its subscription
        queue = self._store.queues().get(replay.queue)
        if queue is None:
            log.warning("replay %s is for %s, which is no queue of a subscriber", replay.id, replay.queue)
            self._store.finish(replay, replay.position)
        else:
            self._advance(replay, queue)
        if self._publisher.is_busy:
            self._channel.connection.sleep(min(BUSY_SHARE * (time.monotonic() - started), 1))
        return True

    def forget(self, queue: topology.Queue) -> None:
        """It is removed for good; one that is made later under the same name is another."""
        self._unbound.discard(queue.name)

    def restore(self, queue: topology.Queue, position: int, reason: str) -> None:
        """A part of the queue was lost: let it go live again with everything behind `position`."""
        log.error("%s: %s; it is given everything from position %s on", queue.name, reason, position)
        metrics.queue_restored.labels(queue.name).inc()
        self.begin(queue, position, reason)

    def begin(self, queue: topology.Queue, position: int, reason: str) -> None:
        """Let the queue go live with everything behind `position`, or from there once more if it is going live."""
        dropped = self._store.dropped()
        if position < dropped:
            log.error("%s needs events from position %s on; the history begins at %s", queue.name, position, dropped)
        self._unbound.discard(queue.name)
        self._store.restore(queue.name, position, reason)

    def _next(self, replays: list[Replay]) -> Replay | None:
        """The one that was served longest ago. A range again waits until its queue is live."""
        going_live = {replay.queue for replay in replays if not replay.is_repeat}
        open_ = [replay for replay in replays if not (replay.is_repeat and replay.queue in going_live)]
        self._turns = {replay.id: self._turns.get(replay.id, 0) for replay in open_}
        return min(open_, key=lambda replay: self._turns[replay.id], default=None)

    def _advance(self, replay: Replay, queue: topology.Queue) -> None:
        try:
            if replay.until is not None:
                self._repeat(replay, queue, replay.until)
            else:
                self._approach(replay, queue)
        except QueueLost:
            if replay.is_repeat:
                # the watch has it restored
                self._channel.connection.sleep(1)
            else:
                self.restore(queue, self._store.handled(queue), "lost while it went live")

    def _repeat(self, replay: Replay, queue: topology.Queue, until: int) -> None:
        position = self._send(replay, queue, until)
        if position >= until:
            self._store.finish(replay, position)

    def _approach(self, replay: Replay, queue: topology.Queue) -> None:
        replay = self._prepare(replay, queue)
        last = self._publisher.position
        position = self._send(replay, queue, last)
        if last - position <= NEAR:
            self._go_live(replay, queue, position)

    def _go_live(self, replay: Replay, queue: topology.Queue, position: int) -> None:
        last = self._publisher.pause().result(TIMEOUT_SECONDS)
        try:
            while position < last:
                position = self._send(replay, queue, last, position)
            broker.bind(self._channel, queue)
            failpoints.reach("replay.bound")
            self._store.finish(replay, last)
        finally:
            self._publisher.resume()
        self._store.save_looks({queue.name: 0}, last)
        self._unbound.discard(queue.name)
        log.info("%s is live from position %s on (%s)", queue.name, last, replay.id)

    def _prepare(self, replay: Replay, queue: topology.Queue) -> Replay:
        """Make or unbind the queue, once a term. The replay, from its beginning if what it had sent was lost."""
        if queue.name in self._unbound:
            return replay
        if self._store.knows(queue.name) and not self._is_there(queue):
            self.restore(queue, self._store.handled(queue), "lost while it went live")
            replay = replace(replay, position=min(replay.position, self._store.handled(queue)))
        broker.declare_unbound(self._channel, queue)
        broker.unbind(self._channel, queue)
        self._store.know(queue.name, replay.position)
        self._unbound.add(queue.name)
        return replay

    def _is_there(self, queue: topology.Queue) -> bool:
        return all(broker.exists(self._channel.connection, name) for name in queue.parts)

    def _send(self, replay: Replay, queue: topology.Queue, until: int, after: int | None = None) -> int:
        """Send one batch; how far that came is saved, and returned."""
        rows, position = self._store.read(queue, replay.position if after is None else after, until, BATCH)
        if rows:
            asked_for = replay.id if replay.is_repeat else None
            self._publisher.send(queue.name, rows, asked_for).result(TIMEOUT_SECONDS)
        failpoints.reach("replay.published")
        self._store.advance(replay, position)
        return position
