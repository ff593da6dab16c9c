"""The access log for auditors at the command line: filtered, in order, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, tuple_

from chassis.database import Database, Session
from contracts import access
from contracts.errors import NotFound
from services.identity import tables
from services.identity.access_log.commands import note_act
from services.identity.access_log.tables import entries
from services.identity.domain import normalize_username
from services.identity.staff.domain import AUDITOR, Hand

A_BATCH = 1_000
_COLUMNS = [column for column in entries.c if column.name != "hash"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; None for any. An account or a viewer may be a user name. `before` is the first moment too late."""

    account: str | None = None
    viewer: str | None = None
    department: str | None = None
    what: str | None = None
    since: datetime | None = None
    before: datetime | None = None


def list_entries(
    database: Database, hand: Hand, wanted: Wanted, now: datetime, batch: int = A_BATCH
) -> Iterator[dict[str, Any]]:
    """Oldest first. Raise `NotFound` for a name that nobody has and no entry either.

    Whoever reads is noted before anything is shown. Each batch is a transaction of its own: a reader who is slow holds
    nobody up.
    """
    with database.transaction() as session:
        account = _subject(session, wanted.account)
        viewer = _subject(session, wanted.viewer)
        _note(session, hand, account, now)
    after: tuple[datetime, str] | None = None
    while True:
        with database.transaction() as session:
            rows = _load(session, account, viewer, wanted, after, batch)
        yield from map(_view, rows)
        if len(rows) < batch:
            return
        after = (rows[-1].at, rows[-1].id)


def _note(session: Session, hand: Hand, account: str | None, now: datetime) -> None:
    """In the log of whose account it is; a reader of many accounts stands in their own."""
    look = hand.look(account or hand.viewer, access.ACCESS_LOG, role=AUDITOR, purpose=access.AUDIT)
    note_act(session, look, now)


def _subject(session: Session, named: str | None) -> str | None:
    """By user name, or else as it is: of a client, of the command line, or of an account that is closed."""
    if named is None:
        return None
    account = tables.accounts.c
    known = session.execute(
        select(account.subject).where(account.username == (normalize_username(named) or ""))
    ).scalar()
    if known is not None:
        return str(known)
    is_in = select(entries.c.id).where((entries.c.account == named) | (entries.c.viewer == named)).limit(1)
    if session.execute(is_in).first() is None:
        raise NotFound("account", named)
    return named


def _load(
    session: Session,
    account: str | None,
    viewer: str | None,
    wanted: Wanted,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Any]:
    found = select(*_COLUMNS)
    said = {"account": account, "viewer": viewer, "department": wanted.department, "what": wanted.what}
    for name, value in said.items():
        if value is not None:
            found = found.where(entries.c[name] == value)
    if wanted.since is not None:
        found = found.where(entries.c.at >= wanted.since)
    if wanted.before is not None:
        found = found.where(entries.c.at < wanted.before)
    if after is not None:
        found = found.where(tuple_(entries.c.at, entries.c.id) > after)
    return list(session.execute(found.order_by(entries.c.at, entries.c.id).limit(limit)))


def _view(row: Any) -> dict[str, Any]:
    said = {name: value for name, value in row._mapping.items() if value is not None}
    return said | {"at": row.at.astimezone(UTC).isoformat().replace("+00:00", "Z")}
