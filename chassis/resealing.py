"""What is sealed in a database, sealed anew under another key, while everything goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.sql.expression import TableClause

from chassis.database import Database, Session
from chassis.sealing import Seal, SealedOtherwise

AT_A_TIME: Final = 500
"""Rows that stay locked together: whoever needs one of them waits for some tenths of a second at most."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """`key` is the table's primary key; `place` is what a value was sealed with besides, by its row's key.

    What does not open is a loss only where it would be needed for long (`is_lasting`).
    """

    table: TableClause
    column: str
    key: str
    purpose: str
    is_lasting: bool = True
    place: Callable[[Any], bytes | None] = lambda _: None

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column}"


def reseal(database: Database, sealed: SealedColumn, seal: Seal) -> tuple[int, int]:
    """Seal under the present key what another one has sealed. How many that were, and how many do not open.

    A batch a transaction, in the order of the key, locked so that no change is lost. Safe to stop and to repeat: done
    again it changes nothing, and what a process with the old key writes behind it is found by the next run.
    """
    done = unopened = 0
    after: Any = None
    while True:
        with database.transaction() as session:
            rows = _lock(session, sealed, after)
            for key, value in rows:
                try:
                    anew = seal.reseal(bytes(value), sealed.place(key))
                except SealedOtherwise:
                    unopened += 1
                    continue
                if anew is not None:
                    _save(session, sealed, key, anew)
                    done += 1
        if len(rows) < AT_A_TIME:
            return done, unopened
        after = rows[-1][0]


def _lock(session: Session, sealed: SealedColumn, after: Any) -> list[tuple[Any, bytes]]:
    key, column = _column(sealed, sealed.key), _column(sealed, sealed.column)
    found = select(key, column).where(column.is_not(None)).order_by(key).limit(AT_A_TIME).with_for_update()
    return [tuple(row) for row in session.execute(found if after is None else found.where(key > after))]


def _save(session: Session, sealed: SealedColumn, key: Any, value: bytes) -> None:
    this = _column(sealed, sealed.key) == key
    session.execute(update(sealed.table).where(this).values({sealed.column: value}))


def _column(sealed: SealedColumn, name: str) -> ColumnElement[Any]:
    return sealed.table.c[name]
