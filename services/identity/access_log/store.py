"""Loading and appending entries of the access log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity import tables as identity_tables
from services.identity.access_log.domain import Cut, Entry, Link, Look
from services.identity.access_log.tables import cuts, entries, head
from services.identity.look_reports.tables import reports

_SEAL_LOCK, _CUT_LOCK = 7_251_003, 7_251_004
"""Numbers of advisory locks."""

_ENTRY = (entries.c.id, entries.c.at, *(entries.c[field.name] for field in fields(Look)))
_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_UNSEALED = (
    select(*_ENTRY).where(entries.c.hash.is_(None)).order_by(entries.c.at, entries.c.id).limit(bindparam("row_limit"))
)
_SEAL = text(
    """
    UPDATE access_log SET position = sealed.position, hash = sealed.hash
    FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS bigint[]), CAST(:hashes AS bytea[]))
        AS sealed (id, position, hash)
    WHERE access_log.id = sealed.id
    """
)
_SEALED_AFTER = (
    select(entries.c.position, entries.c.hash, *_ENTRY)
    .where(entries.c.position > bindparam("after"))
    .order_by(entries.c.position)
    .limit(bindparam("row_limit"))
)


def append(session: Session, new: Sequence[Entry]) -> None:
    """An entry that is there already stays as it is."""
    if new:
        rows = [asdict(entry.look) | {"id": entry.id, "at": entry.at} for entry in new]
        session.execute(upsert(entries).on_conflict_do_nothing(index_elements=["id"]), rows)


def list_of(
    session: Session, account: str, number: str | None, before: tuple[datetime, str] | None, limit: int
) -> list[Row[Any]]:
    """The newest first, with the client's name and, of who acted for the account, the person's."""
    client, person = identity_tables.clients, identity_tables.accounts
    joined = entries.outerjoin(client, client.c.id == entries.c.client)
    joined = joined.outerjoin(person, (person.c.subject == entries.c.viewer) & (entries.c.role == "agent"))
    found = select(*_ENTRY, client.c.name.label("client_name"), person.c.name.label("agent_name")).select_from(joined)
    found = found.where(entries.c.account == account)
    if number is not None:
        found = found.where(entries.c.number == number)
    if before is not None:
        found = found.where(tuple_(entries.c.at, entries.c.id) < before)
    return list(session.execute(found.order_by(entries.c.at.desc(), entries.c.id.desc()).limit(limit)))


def list_staff_changes(session: Session, before: tuple[datetime, str] | None, limit: int) -> list[Row[Any]]:
    """The newest first, with the user names of whose account it is and who did it."""
    person, hand = identity_tables.accounts.alias("person"), identity_tables.accounts.alias("hand")
    joined = entries.outerjoin(person, person.c.subject == entries.c.account)
    joined = joined.outerjoin(hand, hand.c.subject == entries.c.viewer)
    # as the index says it
    found = select(*_ENTRY, person.c.username, hand.c.username.label("by")).select_from(joined)
    found = found.where(entries.c.what == text("'staff'"))
    if before is not None:
        found = found.where(tuple_(entries.c.at, entries.c.id) < before)
    return list(session.execute(found.order_by(entries.c.at.desc(), entries.c.id.desc()).limit(limit)))


def try_lock(session: Session) -> bool:
    """Whoever has it is the one that seals, until the transaction ends."""
    return bool(session.execute(_LOCK, {"lock": _SEAL_LOCK}).scalar_one())


def try_lock_cuts(session: Session) -> bool:
    """The same, of the one that cuts."""
    return bool(session.execute(_LOCK, {"lock": _CUT_LOCK}).scalar_one())


def load_unsealed(session: Session, limit: int) -> list[Entry]:
    return [_entry_of(row) for row in session.execute(_UNSEALED, {"row_limit": limit})]


def save_links(session: Session, ids: Sequence[str], links: Sequence[Link]) -> None:
    positions, hashes = [link.position for link in links], [link.hash for link in links]
    session.execute(_SEAL, {"ids": list(ids), "positions": positions, "hashes": hashes})


def load_sealed(session: Session, after: int, limit: int) -> list[tuple[Link, Entry]]:
    rows = session.execute(_SEALED_AFTER, {"after": after, "row_limit": limit})
    return [(Link(row.position, bytes(row.hash or b"")), _entry_of(row)) for row in rows]


def load_head(session: Session) -> tuple[bytes | None, int]:
    """The sealed end, and the last position that is there or was cut off, of one moment."""
    sealed = select(head.c.sealed).scalar_subquery()
    kept = select(func.max(entries.c.position)).scalar_subquery()
    last = func.greatest(kept, select(func.max(cuts.c.last)).scalar_subquery())
    row = session.execute(select(sealed.label("sealed"), last.label("last"))).one()
    return (bytes(row.sealed) if row.sealed is not None else None), row.last or 0


def save_head(session: Session, sealed: bytes) -> None:
    row = {"is_only": True, "sealed": sealed}
    session.execute(upsert(head).values(row).on_conflict_do_update(index_elements=["is_only"], set_=row))


def count_unsealed(session: Session) -> int:
    return int(session.execute(select(func.count()).where(entries.c.hash.is_(None))).scalar_one())


def load_cuts(session: Session) -> list[tuple[Cut, bytes]]:
    """With their seals, the first one first."""
    return [_cut_of(row) for row in session.execute(select(cuts).order_by(cuts.c.number))]


def load_newest_cut(session: Session) -> tuple[Cut, bytes] | None:
    row = session.execute(select(cuts).order_by(cuts.c.number.desc()).limit(1)).first()
    return _cut_of(row) if row is not None else None


def cut_off(session: Session, cut: Cut, sealed: bytes) -> None:
    """The row first: the database lets nothing go that no cut covers. What was reported of an entry goes with it."""
    row = {name: value for name, value in asdict(cut).items() if name != "last"}
    row |= {"last": cut.last.position, "hash": cut.last.hash, "sealed": sealed}
    session.execute(insert(cuts).values(row))
    old = entries.c.position <= cut.last.position
    session.execute(delete(reports).where(reports.c.entry.in_(select(entries.c.id).where(old))))
    session.execute(delete(entries).where(old))


def _cut_of(row: Any) -> tuple[Cut, bytes]:
    last = Link(row.last, bytes(row.hash))
    return Cut(row.number, row.first, last, row.before, row.cut_at, bytes(row.digest)), bytes(row.sealed)


def _entry_of(row: Any) -> Entry:
    return Entry(row.id, row.at, Look(**{field.name: getattr(row, field.name) for field in fields(Look)}))
