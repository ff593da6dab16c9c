"""The entrypoints of cases: unpack, call, pack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.bus import on_event
from chassis.database import Session
from chassis.rpc import rpc
from chassis.service import Service
from contracts.envelope import Envelope
from services.cases import commands, queries
from services.cases.items import load_catalogue

CATALOGUE = load_catalogue()


class CasesService(Service):
    name = "cases"

    @rpc
    def list_items(
        self,
        q: str | None = None,
        department: str | None = None,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> dict[str, Any]:
        return queries.list_items(CATALOGUE, q, department, kind, cursor, limit)

    @rpc
    def get_item(self, code: str) -> dict[str, Any]:
        return CATALOGUE.get(code).description

    @rpc
    def submit_case(self, item: str, form: dict[str, Any], idempotency_key: str | None = None) -> dict[str, Any]:
        filing = commands.prepare_filing(CATALOGUE, self.actor, item, form, idempotency_key)
        with self.database.transaction() as session:
            return commands.submit_case(session, CATALOGUE, filing, datetime.now(UTC))

    @rpc
    def list_cases(self, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        with self.database.transaction() as session:
            return queries.list_cases(session, CATALOGUE, self.actor, cursor, limit)

    @rpc
    def get_case(self, number: str) -> dict[str, Any]:
        with self.database.transaction() as session:
            return queries.get_case(session, CATALOGUE, self.actor, number)

    @rpc
    def get_history(self, number: str) -> dict[str, Any]:
        with self.database.transaction() as session:
            return queries.get_history(session, self.actor, number)

    @rpc
    def get_case_file(self, number: str) -> dict[str, Any]:
        with self.database.transaction() as session:
            return queries.get_case_file(session, CATALOGUE, self.actor, number)

    @rpc
    def act_on_case(
        self, number: str, action: str, note: str | None = None, form: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        with self.database.transaction() as session:
            return commands.act_on_case(
                session, CATALOGUE, self.actor, number, action, note=note, form=form, now=datetime.now(UTC)
            )

    @on_event("rating.given")
    def on_rating_given(self, session: Session, envelope: Envelope) -> None:
        commands.take_over_rating(session, envelope, datetime.now(UTC))
