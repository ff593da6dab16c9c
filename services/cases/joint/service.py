"""The entrypoints of joint cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from chassis.rpc import rpc
from services.cases import own_data
from services.cases.attachments import store as attachment_store
from services.cases.attachments.views import documents_view
from services.cases.base import CasesBase
from services.cases.catalogue.model import Catalogue
from services.cases.joint import commands, filing, queries, store
from services.cases.joint import documents as joint_documents


class JointEntrypoints(CasesBase):
    @rpc
    def submit_joint_case(
        self,
        item: str,
        form: dict[str, Any],
        idempotency_key: str | None = None,
        item_version: int | None = None,
        needs_documents: bool = False,
        documents: list[str] | None = None,
        consents: list[str] | None = None,
    ) -> dict[str, Any]:
        wanted = filing.prepare(
            self.catalogue, self.actor, item, form, idempotency_key, item_version, self._places, documents, consents
        )
        is_whole, now = needs_documents or documents is not None, datetime.now(UTC)
        asked: dict[str, Any] = {"is_whole": is_whole, "desk": self._evidence_desk()}
        with self.work() as (session, catalogue):
            filed = commands.submit_joint_case(session, catalogue, wanted, now, **asked, **self._time)
            return self._with_documents(session, catalogue, filed)

    @rpc
    def submit_joint_draft(self, id: str) -> dict[str, Any]:  # noqa: A002 - the name on the wire
        with self.work() as (session, catalogue):
            seal, now = self._draft_seal(), datetime.now(UTC)
            return commands.submit_joint_draft(
                session, catalogue, seal, self.actor, id, now, places=self._places, **self._time
            )

    @rpc
    def list_joint_cases(self, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return queries.list_joint_cases(session, catalogue, self.actor, cursor, limit)

    @rpc
    def list_own_waiting(self) -> list[dict[str, Any]]:
        with self.work() as (session, catalogue):
            return own_data.list_own_waiting(session, catalogue, self.actor)

    @rpc
    def get_joint_case(self, number: str) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            found = queries.get_joint_case(session, catalogue, self.actor, number)
            return self._with_documents(session, catalogue, found)

    def _with_documents(self, session: Session, catalogue: Catalogue, whole: dict[str, Any]) -> dict[str, Any]:
        """For its applicant, who hands them in here once; others read them at the part that they work on."""
        if whole["applicant"] != self.actor.subject:
            return whole
        files = attachment_store.list_of_joint(session, self._file_seal(), whole["number"])
        parts = store.load_parts(session, whole["number"])
        item = joint_documents.for_reader(session, catalogue, parts, {file.document for file in files})
        return whole | {"documents": documents_view(item, files), "asked_documents": item["documents"]}

    @rpc
    def get_joint_part(self, number: str, part: str) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return queries.get_part(session, catalogue, self.actor, number, part)

    @rpc
    def act_on_joint_case(
        self, number: str, action: str, part: str | None = None, form: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        asked: dict[str, Any] = {"part": part, "form": form, "now": datetime.now(UTC)}
        asked |= {"result_seal": self._result_seal(), "desk": self._evidence_desk()}
        with self.work() as (session, catalogue):
            return commands.act_on_joint_case(session, catalogue, self.actor, number, action, **asked, **self._time)
