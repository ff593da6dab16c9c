"""The entrypoints of drafts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from chassis.rpc import rpc
from chassis.schedule import Due
from chassis.timer import on_due
from services.cases import commands
from services.cases.attachments import store as attachment_store
from services.cases.attachments.views import documents_view
from services.cases.base import CasesBase
from services.cases.drafts import commands as draft_commands
from services.cases.drafts import handover
from services.cases.drafts import queries as draft_queries
from services.cases.evidence import offering


class DraftEntrypoints(CasesBase):
    @rpc
    def list_drafts(self, item: str | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return draft_queries.list_drafts(session, catalogue, self.actor, item, datetime.now(UTC))

    @rpc
    def get_draft(self, id: str) -> dict[str, Any]:  # noqa: A002 - the name on the wire
        with self.work() as (session, catalogue):
            found = draft_queries.get_draft(session, catalogue, self._draft_seal(), self.actor, id)
            files = attachment_store.list_of_draft(session, self._file_seal(), found["draft"]["id"])
            fetched = offering.described(session, catalogue, found["item"], datetime.now(UTC))
            item = found["item"] | ({"fetched": fetched} if fetched else {})
            return found | {"item": item, "documents": documents_view(item, files)}

    @rpc
    def save_draft(
        self,
        id: str,  # noqa: A002
        item: str | None,
        changes: dict[str, Any],
        base: int,
        is_strict: bool = False,
    ) -> dict[str, Any]:
        seal, now = self._draft_seal(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return draft_commands.save_draft(
                session, catalogue, seal, self.actor, id, item, changes, base, now, is_strict=is_strict
            )

    @rpc
    def renew_draft(self, id: str) -> dict[str, Any]:  # noqa: A002
        with self.work() as (session, catalogue):
            return draft_commands.renew_draft(session, catalogue, self._draft_seal(), self.actor, id, datetime.now(UTC))

    @rpc
    def delete_draft(self, id: str) -> None:  # noqa: A002
        with self.database.transaction() as session:
            draft_commands.delete_draft(session, self._draft_seal(), self.actor, id)

    @rpc
    def submit_draft(self, id: str) -> dict[str, Any]:  # noqa: A002
        with self.work() as (session, catalogue):
            seal, now = self._draft_seal(), datetime.now(UTC)
            return commands.submit_draft(
                session, catalogue, seal, self.actor, id, now, places=self._places, **self._time
            )

    @rpc
    def hand_over_draft(self, id: str) -> dict[str, Any]:  # noqa: A002
        with self.database.transaction() as session:
            return handover.offer(session, self._draft_seal(), self.actor, id, datetime.now(UTC))

    @rpc
    def get_handover(self, token: str) -> dict[str, Any]:
        with self.database.transaction() as session:
            return handover.look(session, self.actor, token, datetime.now(UTC))

    @rpc
    def take_over_draft(self, token: str) -> dict[str, Any]:
        with self.database.transaction() as session:
            return handover.take(session, self._draft_seal(), self.actor, token, datetime.now(UTC))

    @on_due(draft_commands.LOOK_AFTER)
    def on_draft_due(self, session: Session, due: Due) -> None:
        draft_commands.look_after(session, self._draft_seal(), due, datetime.now(UTC))
