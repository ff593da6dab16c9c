"""The entrypoints of rating: unpack, call, pack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.bus import on_event
from chassis.database import Session
from chassis.rpc import rpc
from chassis.schedule import Due
from chassis.service import Service
from chassis.timer import on_due
from contracts.envelope import Envelope
from services.rating import commands, queries
from services.rating.settings import RatingSettings


class RatingService(Service):
    name = "rating"
    settings_class = RatingSettings
    settings: RatingSettings

    @rpc
    def rate_case(self, case: dict[str, Any], score: int, comment: str | None = None) -> dict[str, Any]:
        with self.database.transaction() as session:
            return commands.rate_case(session, self.actor, case, score, comment, datetime.now(UTC))

    @rpc
    def get_rating(self, number: str) -> dict[str, Any]:
        with self.database.transaction() as session:
            return queries.get_rating(session, self.actor, number)

    @rpc
    def list_own_ratings(self, numbers: list[str]) -> dict[str, dict[str, Any]]:
        with self.database.transaction() as session:
            return queries.list_own_ratings(session, self.actor, numbers)

    @rpc
    def get_statistics(self, item: str | None = None, department: str | None = None) -> dict[str, Any]:
        with self.database.transaction() as session:
            return queries.get_statistics(session, item, department)

    @on_event("case.closed")
    def on_case_closed(self, session: Session, envelope: Envelope) -> None:
        remind_after = timedelta(days=self.settings.rating_reminder_days)
        commands.invite_to_rate(session, envelope, datetime.now(UTC), remind_after)

    @on_due(commands.REMINDER)
    def on_reminder_due(self, session: Session, due: Due) -> None:
        commands.remind_to_rate(session, due)
