"""The entrypoints of lists."""

from __future__ import annotations

from typing import Any

from chassis.rpc import rpc
from chassis.timer import timer
from services.cases.base import CasesBase
from services.cases.lists import export, persons, queries, store
from services.cases.lists.words import words_of

_NOTES_AT_ONCE = 500


class ListEntrypoints(CasesBase):
    @rpc
    def list_cases(
        self, cursor: str | None = None, limit: int | None = None, wanted: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return queries.list_cases(session, catalogue, self.actor, cursor, limit, wanted)

    @rpc
    def list_cases_of(self, applicant: str) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return persons.list_cases_of(session, catalogue, self.actor, applicant)

    @rpc
    def list_case_rows(
        self, wanted: dict[str, Any] | None = None, cursor: str | None = None, end: str | None = None
    ) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return export.list_rows(session, catalogue, self.actor, wanted, cursor, end)

    @rpc
    def get_end_of_case_rows(self, wanted: dict[str, Any] | None = None, cursor: str | None = None) -> dict[str, Any]:
        with self.work() as (session, catalogue):
            return export.get_end(session, catalogue, self.actor, wanted, cursor)

    @timer(interval=60)
    def read_notes(self) -> None:
        """Those of before the index. In every replica: what one has in hand, the next passes over."""
        with self.database.transaction() as session:
            notes = store.lock_unread_notes(session, _NOTES_AT_ONCE)
            store.save_words(session, {note: words_of(said) for note, said in notes})
