"""The entrypoints of the access log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.bus import on_event
from chassis.database import Session
from chassis.rpc import rpc
from chassis.timer import timer
from contracts.envelope import Envelope
from services.identity.access_log import commands as access_log_commands
from services.identity.access_log import queries as access_log_queries
from services.identity.access_log import retention as access_log_retention
from services.identity.access_log import sealing as access_log_sealing
from services.identity.base import IdentityBase


class AccessLogEntrypoints(IdentityBase):
    @rpc
    def list_access_log(
        self,
        subject: str | None = None,
        number: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        with self.database.transaction() as transaction:
            return access_log_queries.list_entries(
                transaction, self.actor, subject, number=number, cursor=cursor, limit=limit, now=now
            )

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
