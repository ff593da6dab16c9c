"""The catalogue of a running process: what is published, a second behind at most."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from chassis.database import Database, Session
from contracts.errors import NotFound
from services.cases.catalogue import files, publishing, store
from services.cases.catalogue.model import Catalogue, ServiceItem

FRESH_SECONDS = 1.0
_AT_ONCE = 20
_MOST_FORMER = 1_000
"""Versions behind the published ones, which cases are still filed under."""


class LiveCatalogue:
    """One a process, for every call of it. The first look publishes what is shipped.

    A timer looks whether something was published, so that no call waits for it: making the index of a whole imported
    list takes longer than many calls.
    """

    def __init__(self) -> None:
        self._catalogue: Catalogue | None = None
        self._loading = threading.Lock()

    def current(self, database: Database) -> Catalogue:
        """A snapshot. Raise `ServiceUnavailable` only before the first one: later an old one is better than none."""
        if self._catalogue is None:
            with self._loading:
                if self._catalogue is None:
                    self._catalogue = _begin(database)
        return self._catalogue

    def refresh(self, database: Database) -> None:
        """Look at the revision; load what has changed. Whoever comes meanwhile reads the old snapshot."""
        if self._catalogue is None:
            self.current(database)
        elif self._loading.acquire(blocking=False):
            try:
                with database.transaction() as session:
                    is_old = store.get_revision(session) != self._catalogue.revision
                    newer = load(session, self._catalogue) if is_old else None
                if newer is not None:
                    self._catalogue = _prepared(newer)
            finally:
                self._loading.release()


def _begin(database: Database) -> Catalogue:
    with database.transaction() as session:
        publishing.seed(session, files.read_folder(), datetime.now(UTC))
    with database.transaction() as session:
        catalogue = load(session)
    return _prepared(catalogue)


def _prepared(catalogue: Catalogue) -> Catalogue:
    """With all that search needs. After a whole list was imported, calls of this process are let in between."""
    for number, item in enumerate(catalogue.all(), 1):
        _ = item.entry
        if number % _AT_ONCE == 0:
            # Nameko's processes run one greenlet at a time: here the others go on
            time.sleep(0)
    _ = catalogue.index
    return catalogue


def load(session: Session, before: Catalogue | None = None) -> Catalogue:
    """What is published. Versions that `before` holds already are taken from it."""
    # the revision first: a change in between is then loaded twice rather than never
    revision = store.get_revision(session)
    published = store.list_published(session)
    kept = {(item.code, item.version): item for item in before.all()} if before else {}
    wanted = [each for each in published if each not in kept]
    items = [ServiceItem(content) for content in store.load_versions(session, wanted)]
    return Catalogue([*(kept[each] for each in published if each in kept), *items], revision)


class Versions:
    """Items in the version that a case was filed under."""

    def __init__(self) -> None:
        self._former: OrderedDict[tuple[str, int], ServiceItem] = OrderedDict()

    def get(self, session: Session, catalogue: Catalogue, code: str, version: int) -> ServiceItem:
        if code in catalogue and catalogue.get(code).version == version:
            return catalogue.get(code)
        if (code, version) not in self._former:
            content: dict[str, Any] | None = store.load_version(session, code, version)
            if content is None:
                raise NotFound("item", code)
            self._former[code, version] = ServiceItem(content)
            while len(self._former) > _MOST_FORMER:
                self._former.popitem(last=False)
        return self._former[code, version]


VERSIONS = Versions()
