"""The entrypoints of evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from chassis.rpc import rpc
from chassis.schedule import Due
from chassis.timer import on_due, timer
from services.cases.base import CasesBase
from services.cases.evidence import commands as evidence_commands
from services.cases.evidence import consenting, deciding, metrics
from services.cases.evidence import queries as evidence_queries
from services.cases.evidence import store as evidence_store
from services.cases.evidence.case import LIMIT
from services.cases.registries.releasing import release_uncovered


class EvidenceEntrypoints(CasesBase):
    @rpc
    def list_evidence(self, number: str, purpose: str | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            desk = self._evidence_desk()
            found = evidence_queries.list_of_case(session, catalogue, desk, self.actor, number, purpose)
            return {"items": found, "next": None}

    @rpc
    def consent_to_evidence(self, number: str, document: str) -> dict[str, Any]:
        desk, now = self._evidence_desk(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return consenting.consent(session, catalogue, desk, self.actor, number, document, now)

    @rpc
    def decide_on_evidence(self, number: str, document: str, action: str, reason: str | None = None) -> dict[str, Any]:
        """`action` is `use`, `decline` or `withdraw`, `reason` what the applicant says of what differs."""
        desk, now = self._evidence_desk(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return deciding.decide(session, catalogue, desk, self.actor, number, document, action, now, reason)

    @rpc
    def correct_by_evidence(
        self, number: str, document: str, fields: list[str] | None = None, versions: list[int] | str | None = None
    ) -> dict[str, Any]:
        """Those fields of the form that differ, or all; `versions` as `act_on_case` has them."""
        asked = (number, document, fields, versions, datetime.now(UTC))
        with self.work() as (session, catalogue):
            return deciding.correct_form(session, catalogue, self._evidence_desk(), self.actor, *asked)

    @rpc
    def list_own_evidence(self, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return evidence_queries.list_own_evidence(session, catalogue, self.actor, cursor, limit)

    @rpc
    def list_evidence_requests(self, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return evidence_queries.list_requests(session, catalogue, self.actor, cursor, limit)

    @rpc
    def get_evidence_request(self, id: str) -> dict[str, Any]:  # noqa: A002 - the name on the wire
        desk, now = self._evidence_desk(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return evidence_queries.get_request(session, catalogue, desk, self.actor, id, now)

    @rpc
    def answer_evidence(self, id: str, answer: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        desk, now = self._evidence_desk(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return evidence_commands.answer(session, catalogue, desk, self.actor, id, answer, now)

    @on_due(LIMIT)
    def on_evidence_limit(self, session: Session, due: Due) -> None:
        evidence_commands.pass_limit(session, self._evidence_desk(), due, datetime.now(UTC))

    @timer(interval=5)
    def release_uncovered_evidence(self) -> None:
        """In every replica: what one has released, the next does not find."""
        release_uncovered(self.database, self._evidence_desk(), datetime.now(UTC))

    @timer(interval=60)
    def measure_evidence(self) -> None:
        with self.database.transaction() as session:
            rows = evidence_store.measure(session)
        metrics.show(rows, datetime.now(UTC))
