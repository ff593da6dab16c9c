"""The entrypoints of statistics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from chassis.timer import timer
from services.cases.base import CasesBase
from services.cases.statistics import queries, store

_BATCHES_AT_ONCE = 40


class StatisticsEntrypoints(CasesBase):
    @rpc
    def get_case_statistics(
        self,
        department: str | None = None,
        item: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> dict[str, Any]:
        asked: dict[str, Any] = {"department": department, "item": item, "since": since, "until": until}
        with self.work() as (session, catalogue):
            return queries.get_statistics(session, catalogue, self.actor, datetime.now(UTC), **asked)

    @timer(interval=5)
    def count_figures(self) -> None:
        """What was published since; after an upgrade, what was published ever. One replica counts at a time."""
        for _ in range(_BATCHES_AT_ONCE):
            with self.database.transaction() as session:
                counted = store.count_batch(session)
            if counted < store.A_BATCH:
                return
