"""The entrypoints of the access log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.bus import on_event
from chassis.database import Session
from chassis.rpc import rpc
from chassis.timer import timer
from contracts.envelope import Envelope
from services.identity.access_log import checks
from services.identity.access_log import commands as access_log_commands
from services.identity.access_log import queries as access_log_queries
from services.identity.access_log import retention as access_log_retention
from services.identity.access_log import sealing as access_log_sealing
from services.identity.base import IdentityBase
from services.identity.look_reports import domain as look_reports_domain
from services.identity.look_reports import queries as look_reports

_FEW = 5


class AccessLogEntrypoints(IdentityBase):
    @rpc
    def list_access_log(
        self,
        subject: str | None = None,
        number: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> dict[str, Any]:
        now, seal = datetime.now(UTC), self._seal(look_reports_domain.PURPOSE)
        with self.database.transaction() as transaction:
            page = access_log_queries.list_entries(
                transaction, self.actor, subject, number=number, cursor=cursor, limit=limit, now=now
            )
            is_own = subject in (None, self.actor.subject)
            return look_reports.add_reports(transaction, seal, page) if is_own else page

    @rpc
    def list_staff_changes(self, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            return access_log_queries.list_staff_changes(transaction, self.actor, cursor, limit, now)

    @rpc
    def get_audit_overview(self) -> dict[str, Any]:
        """How the chain stands, and the beginnings of both lists that auditors work on."""
        now, seal = datetime.now(UTC), self._seal(access_log_sealing.PURPOSE)
        with self.database.transaction() as transaction:
            changes = access_log_queries.list_staff_changes(transaction, self.actor, None, _FEW, now)
            reports = look_reports.list_reports(transaction, self.actor, "open", None, _FEW, now)
            return {"chain": checks.get_chain(transaction, seal), "changes": changes, "reports": reports}

    @on_event("data.viewed")
    def on_data_viewed(self, session: Session, envelope: Envelope) -> None:
        access_log_commands.take_over_look(session, envelope)

    @timer(interval=1)
    def seal_access_log(self) -> None:
        """In every replica: one seals at a time, the others find it at it."""
        access_log_sealing.seal_new_entries(self.database, self._seal(access_log_sealing.PURPOSE))

    @timer(interval=3600)
    def prune_access_log(self) -> None:
        """What is a month too old; in every replica, as above."""
        seal, years = self._seal(access_log_sealing.PURPOSE), self.settings.access_log_years
        access_log_retention.prune(self.database, seal, years, datetime.now(UTC))

    @timer(interval=3600)
    def check_access_log(self) -> None:
        """Once a day, in one replica."""
        checks.check_daily(self.database, self._seal(access_log_sealing.PURPOSE), datetime.now(UTC))
