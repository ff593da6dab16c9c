"""The entrypoints of reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.rpc import rpc
from chassis.timer import timer
from services.identity import metrics
from services.identity.base import IdentityBase
from services.identity.look_reports import commands, queries, store
from services.identity.look_reports.domain import PURPOSE


class LookReportEntrypoints(IdentityBase):
    @rpc
    def report_look(self, entry: str, reason: str) -> None:
        now, within = datetime.now(UTC), timedelta(days=self.settings.look_report_days)
        seal, limits = self._seal(PURPOSE), self._limit_keys()
        with self.database.transaction() as transaction:
            commands.report_look(transaction, seal, limits, self.actor, entry, reason, now, within)

    @rpc
    def list_look_reports(
        self, state: str = "open", cursor: str | None = None, limit: int | None = None
    ) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return queries.list_reports(transaction, self.actor, state, cursor, limit, datetime.now(UTC))

    @rpc
    def get_look_report(self, report: str) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            return queries.get_report(transaction, self._seal(PURPOSE), self.actor, report, datetime.now(UTC))

    @rpc
    def answer_look_report(self, report: str, answer: str) -> None:
        with self.database.transaction() as transaction:
            now = datetime.now(UTC)
            commands.answer_report(transaction, self._seal(PURPOSE), self.actor, report, answer, now)

    @timer(interval=60)
    def measure_look_reports(self) -> None:
        with self.database.transaction() as transaction:
            waiting, late = store.count_open(transaction, datetime.now(UTC))
        metrics.look_reports_open.set(waiting)
        metrics.look_reports_late.set(late)
