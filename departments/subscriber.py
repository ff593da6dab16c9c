"""A department's subscriber: every event of its queue, in order per case, each handed to one function once."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from types import FrameType

from contracts.envelope import Envelope, UnreadableEvent
from departments.credentials import ClientCredentials
from departments.dedupe import Dedupe, MemoryDedupe
from departments.feed import Delivery, Feed

_LOG = logging.getLogger(__name__)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Handler = Callable[[Envelope], None]


class Subscriber:
    """Reads one queue, alone: to a second reader the broker hands nothing until the first one is gone.

    `run(handler)` calls the handler in the calling thread, one event at a time, and acknowledges after it. The
    connection has its own thread, so heartbeats go on however long a handler takes. A broker that goes away is
    connected to again.

    A handler that raises gets the same event again after each of `retry_seconds` (the last one repeats): what follows
    waits, so the order of a case is kept. After `tries` the event goes to the dead-letter queue and the next one is
    handled; `tries=None` never gives up. What cannot be read as an event goes to the dead-letter queue at once.

    `credentials` sign in with access tokens, which are renewed in time; `amqp_uri` then has no account of its own.

    SIGTERM and SIGINT let the handler finish, acknowledge, and return from `run`; a second one ends the program.
    """

    def __init__(
        self,
        amqp_uri: str,
        queue: str,
        dedupe: Dedupe | None = None,
        prefetch: int = 50,
        tries: int | None = 5,
        retry_seconds: Sequence[float] = (1, 5, 15, 60),
        *,
        credentials: ClientCredentials | None = None,
    ) -> None:
        self._feed = Feed(amqp_uri, queue, prefetch, credentials)
        self._dedupe = MemoryDedupe() if dedupe is None else dedupe
        self._tries = tries
        self._retry_seconds = retry_seconds
        self._stopping = threading.Event()
        self.replay: str | None = None
        """While the handler runs: the id of the replay that brings this event again, if one was asked for."""

    def run(self, handler: Handler) -> None:
        """Handle events until `stop` or a signal. Raises `SubscriptionError` when reading cannot begin. Call once."""
        self._feed.open()
        try:
            with _signals(self.stop):
                while not self._stopping.is_set():
                    delivery = self._feed.get()
                    if delivery is not None and delivery.is_current and not self._stopping.is_set():
                        self._take(delivery, handler)
        finally:
            self._feed.close()

    def stop(self) -> None:
        """From any thread, a signal handler, or the handler itself (its event is still acknowledged)."""
        self._stopping.set()
        self._feed.wake()

    def _take(self, delivery: Delivery, handler: Handler) -> None:
        try:
            envelope = Envelope.from_json(delivery.body)
        except UnreadableEvent as error:
            _LOG.error("dead letter: unreadable (%s)", error)
            self._feed.reject(delivery)
            return
        key = envelope.id if delivery.replay is None else f"{delivery.replay}/{envelope.id}"
        if self._dedupe.contains(envelope.source, key):
            self._feed.acknowledge(delivery)
            return
        self.replay = delivery.replay
        self._handle(delivery, envelope, key, handler)

    def _handle(self, delivery: Delivery, envelope: Envelope, key: str, handler: Handler) -> None:
        for attempt in count(1):
            try:
                handler(envelope)
            except Exception:
                _LOG.exception("%s %s: attempt %d failed", envelope.type, envelope.id, attempt)
            else:
                self._dedupe.add(envelope.source, key)
                self._feed.acknowledge(delivery)
                return
            if attempt == self._tries:
                _LOG.error("dead letter: %s %s of %s", envelope.type, envelope.id, envelope.subject)
                self._feed.reject(delivery)
                return
            # unacknowledged, it goes back to the queue when the subscriber stops, and comes again when the broker does
            stopped = self._stopping.wait(self._retry_seconds[min(attempt, len(self._retry_seconds)) - 1])
            if stopped or not delivery.is_current:
                return


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Only the main thread may set signal handlers; elsewhere the program calls `stop` itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        restore()
        stop()

    previous = {number: signal.signal(number, on_signal) for number in _SIGNALS}

    def restore() -> None:
        for number, action in previous.items():
            signal.signal(number, action)

    try:
        yield
    finally:
        restore()
