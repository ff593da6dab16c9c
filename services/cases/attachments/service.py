"""The entrypoints of attachments. The gateway has the bytes; what is known of them comes and goes through here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from services.cases.attachments import commands as attachment_commands
from services.cases.attachments import queries as attachment_queries
from services.cases.base import CasesBase


class AttachmentEntrypoints(CasesBase):
    @rpc
    def begin_attachment(self, target: dict[str, str], document: str, name: str, length: int) -> dict[str, Any]:
        seal, now = self._file_seal(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return attachment_commands.begin_attachment(
                session, catalogue, seal, self.actor, target, document, name, length, now
            )

    @rpc
    def get_upload(self, id: str) -> dict[str, Any]:  # noqa: A002
        with self.database.transaction() as session:
            return attachment_queries.get_upload(session, self._file_seal(), self.actor, id)

    @rpc
    def receive_part(
        self,
        id: str,  # noqa: A002
        offset: int,
        part: str,
        length: int,
        is_last: bool = False,
        outcome: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        seal, now = self._file_seal(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return attachment_commands.receive_part(
                session,
                catalogue,
                seal,
                self.actor,
                id,
                offset,
                part,
                length,
                now,
                is_last=is_last,
                outcome=outcome,
            )

    @rpc
    def list_documents(self, target: dict[str, str], purpose: str | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return attachment_queries.list_documents(session, catalogue, self._file_seal(), self.actor, target, purpose)

    @rpc
    def get_attachment(self, id: str, purpose: str | None = None) -> dict[str, Any]:  # noqa: A002
        with self.work() as (session, catalogue):
            return attachment_queries.get_attachment(session, catalogue, self._file_seal(), self.actor, id, purpose)

    @rpc
    def delete_attachment(self, id: str) -> None:  # noqa: A002
        with self.database.transaction() as session:
            attachment_commands.delete_attachment(session, self._file_seal(), self.actor, id)

    @rpc
    def save_checked(self, id: str, outcome: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        with self.database.transaction() as session:
            return attachment_commands.save_checked(
                session, self._file_seal(), self.actor, id, outcome, datetime.now(UTC)
            )

    @rpc
    def take_unchecked(self) -> list[dict[str, Any]]:
        seal, now = self._file_seal(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return attachment_commands.take_unchecked(session, catalogue, seal, self.actor, now)

    @rpc
    def take_unwanted(self) -> list[str]:
        with self.database.transaction() as session:
            return attachment_commands.take_unwanted(session, self.actor, datetime.now(UTC))

    @rpc
    def forget_attachments(self, ids: list[str]) -> None:
        with self.database.transaction() as session:
            attachment_commands.forget_attachments(session, self.actor, ids)
