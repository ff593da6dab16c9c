"""Which events were handled already. CloudEvents: the same `source` and `id` is the same event, delivered again."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Protocol


class Dedupe(Protocol):
    """What a subscriber asks before a handler runs, and tells after it.

    `event_id` is the event's id; `<replay>/<id>` where a replay that was asked for brings it again.

    A program that dies between the two handles one event twice. If that may not be, write (`source`, `id`) in the
    handler's own database transaction, under a unique key.
    """

    def contains(self, source: str, event_id: str) -> bool: ...

    def add(self, source: str, event_id: str) -> None: ...


class MemoryDedupe:
    """The last `limit` events of this run (some 200 bytes each). A restart forgets them."""

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._handled: OrderedDict[tuple[str, str], None] = OrderedDict()

    def contains(self, source: str, event_id: str) -> bool:
        return (source, event_id) in self._handled

    def add(self, source: str, event_id: str) -> None:
        self._handled[source, event_id] = None
        self._handled.move_to_end((source, event_id))
        if len(self._handled) > self._limit:
            self._handled.popitem(last=False)


class SqliteDedupe:
    """A file that outlives restarts; events older than `keep` are forgotten.

    Used by one thread: the one that calls `Subscriber.run`. `now` gives seconds since 1970.
    """

    _PRUNE_EVERY = 10_000

    def __init__(self, path: str | Path, keep: timedelta = timedelta(days=90), now: Callable[[], float] = time) -> None:
        self._keep = keep
        self._now = now
        self._added = 0
        self._connection = sqlite3.connect(path, isolation_level=None)
        # a killed program loses nothing with NORMAL; only a power cut may lose the last moments, and then an event
        # is handled again, as without this file
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS handled (source TEXT, id TEXT, at REAL NOT NULL, PRIMARY KEY (source, id))"
            " WITHOUT ROWID"
        )
        self._prune()

    def contains(self, source: str, event_id: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM handled WHERE source = ? AND id = ?", (source, event_id))
        return found.fetchone() is not None

    def add(self, source: str, event_id: str) -> None:
        self._connection.execute("INSERT OR IGNORE INTO handled VALUES (?, ?, ?)", (source, event_id, self._now()))
        self._added += 1
        if self._added % self._PRUNE_EVERY == 0:
            self._prune()

    def close(self) -> None:
        self._connection.close()

    def _prune(self) -> None:
        self._connection.execute("DELETE FROM handled WHERE at < ?", (self._now() - self._keep.total_seconds(),))
