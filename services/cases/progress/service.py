"""The entrypoints of progress without signing in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis import limits
from chassis.database import Session
from chassis.rpc import rpc
from chassis.timer import timer
from contracts.errors import ServiceError
from services.cases.base import CasesBase
from services.cases.progress import commands, queries
from services.cases.progress.codes import ProgressKeys


class ProgressEntrypoints(CasesBase):
    @rpc
    def get_progress(self, number: str, code: str) -> dict[str, Any]:
        keys = self._progress_keys()
        with self.work() as (session, catalogue):
            found = queries.look_up(session, catalogue, keys, number, code, datetime.now(UTC))
        if isinstance(found, ServiceError):
            raise found
        return found

    @rpc
    def renew_progress_code(self, number: str) -> dict[str, Any]:
        with self.database.transaction() as session:
            return {"progress_code": commands.renew_code(session, self._progress_keys(), self.actor, number)}

    @rpc
    def withdraw_progress_code(self, number: str) -> None:
        with self.database.transaction() as session:
            commands.withdraw_code(session, self.actor, number)

    @timer(interval=600)
    def forget_full_limits(self) -> None:
        with self.database.transaction() as session:
            limits.remove_full(session, datetime.now(UTC))

    def _with_code(self, session: Session, case: dict[str, Any]) -> dict[str, Any]:
        """The case as the caller gets it: its applicant with the code of its progress."""
        code = queries.code_for(session, self._progress_keys(), self.actor, case)
        return case if code is None else case | {"progress_code": code}

    def _progress_keys(self) -> ProgressKeys:
        other = self.settings.other_cases_key
        return ProgressKeys(self.settings.cases_key.get_secret_value(), other.get_secret_value() if other else None)
