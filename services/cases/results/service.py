"""The entrypoints of results."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.rpc import rpc
from contracts.errors import ServiceError
from services.cases.base import CasesBase
from services.cases.results import commands, queries
from services.cases.results.limits import ResultKeys


class ResultEntrypoints(CasesBase):
    @rpc
    def get_result(self, number: str, purpose: str | None = None) -> dict[str, Any]:
        seal, now = self._result_seal(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return queries.get_result(session, catalogue, seal, self.actor, number, purpose, now)

    @rpc
    def list_certificates(self, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        seal, now = self._result_seal(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return queries.list_certificates(session, catalogue, seal, self.actor, cursor, limit, now)

    @rpc
    def download_result(self, number: str, language: str, purpose: str | None = None) -> dict[str, Any]:
        seal, keys, now = self._result_seal(), self._result_keys(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            return commands.download_result(session, catalogue, seal, keys, self.actor, number, language, purpose, now)

    @rpc
    def note_result_download(self, number: str, language: str, sha256: str, result: str) -> None:
        seal, now = self._result_seal(), datetime.now(UTC)
        with self.work() as (session, catalogue):
            commands.note_download(session, catalogue, seal, self.actor, number, language, sha256, result, now)

    @rpc
    def revoke_result(self, number: str, reason: str, note: str) -> None:
        with self.database.transaction() as session:
            commands.revoke_result(session, self._result_seal(), self.actor, number, reason, note, datetime.now(UTC))

    @rpc
    def get_verification(self, code: str) -> dict[str, Any]:
        seal, keys = self._result_seal(), self._result_keys()
        with self.work() as (session, catalogue):
            found = queries.verify(session, catalogue, seal, keys, code, datetime.now(UTC))
        if isinstance(found, ServiceError):
            raise found
        return found

    def _result_keys(self) -> ResultKeys:
        return ResultKeys(self.settings.cases_key.get_secret_value())
