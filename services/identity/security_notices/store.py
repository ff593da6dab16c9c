"""Loading and saving notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from contracts import security
from services.identity.persons.tables import identifiers
from services.identity.security_notices.tables import security_notice_addresses as addresses
from services.identity.security_notices.tables import security_notices as notices
from services.identity.tables import accounts

_ADDED = [f"{factor}-added" for factor in security.FACTORS]
_SEALED = ("sealed", "blind_index", "key_id", "confirmed_at")


def add(session: Session, row: dict[str, Any]) -> None:
    session.execute(insert(notices).values(row))


def copy_addresses(session: Session, notice: str, subject: str, kinds: Sequence[str]) -> list[str]:
    """As the account has them now, without opening them; the kinds that there are."""
    row = identifiers.c
    found = select(
        literal(notice), row.kind, literal(value=False), row.subject, *(row[name] for name in _SEALED)
    ).where(row.subject == subject, row.kind.in_(kinds))
    names = ["notice", "kind", "is_former", "subject", *_SEALED]
    copied = insert(addresses).from_select(names, found).returning(addresses.c.kind)
    return list(session.execute(copied).scalars())


def add_former(session: Session, notice: str, former: Any) -> None:
    """The row of an identifier as it was before a change (`get_identifier`)."""
    row = {"notice": notice, "kind": former.kind, "is_former": True, "subject": former.subject}
    session.execute(insert(addresses).values(row | {name: getattr(former, name) for name in _SEALED}))


def get_identifier(session: Session, subject: str, kind: str) -> Any | None:
    row = identifiers.c
    return session.execute(select(identifiers).where(row.subject == subject, row.kind == kind)).first()


def put_back(session: Session, notice: str) -> None:
    """The former address is the account's again, unless somebody else has confirmed it meanwhile."""
    former = session.execute(select(addresses).where(addresses.c.notice == notice, addresses.c.is_former)).first()
    if former is None:
        return
    other = identifiers.c
    taken = select(other.subject).where(
        other.kind == former.kind,
        other.blind_index == former.blind_index,
        other.confirmed_at.is_not(None),
        other.subject != former.subject,
    )
    if session.execute(taken).first() is not None:
        return
    row = {"subject": former.subject, "kind": former.kind} | {name: getattr(former, name) for name in _SEALED}
    saved = upsert(identifiers).values(row)
    session.execute(saved.on_conflict_do_update(index_elements=["subject", "kind"], set_=row))


def list_live(session: Session, ids: Sequence[str], now: datetime) -> list[Any]:
    """Those that are still worth sending, with the account's name and language."""
    notice = notices.c
    found = (
        select(notices, accounts.c.locale, accounts.c.name)
        .join(accounts, accounts.c.subject == notice.subject)
        .where(notice.id.in_(ids), notice.used_at.is_(None), notice.expires_at > now, accounts.c.closed_at.is_(None))
    )
    return list(session.execute(found))


def list_addresses(session: Session, ids: Sequence[str]) -> list[Any]:
    return list(session.execute(select(addresses).where(addresses.c.notice.in_(ids))))


def keep_hash(session: Session, notice: str, code_hash: str) -> None:
    """The first one stays: whoever sends it at the same time has made the same code."""
    this = update(notices).where(notices.c.id == notice, notices.c.code_hash.is_(None))
    session.execute(this.values(code_hash=code_hash))


def find(session: Session, hashes: Sequence[str], now: datetime) -> Any | None:
    return session.execute(select(notices).where(*_is_live(now), notices.c.code_hash.in_(hashes))).first()


def get_own(session: Session, subject: str, notice: str, now: datetime) -> Any | None:
    own = (notices.c.id == notice, notices.c.subject == subject)
    return session.execute(select(notices).where(*_is_live(now), *own)).first()


def use(session: Session, notice: str, now: datetime, kept_until: datetime) -> bool:
    """In one statement: of two at once one wins."""
    used = update(notices).where(*_is_live(now), notices.c.id == notice).values(used_at=now, expires_at=kept_until)
    return bool(session.execute(used).rowcount)


def use_with(session: Session, subject: str, then: datetime, now: datetime, kept_until: datetime) -> list[Any]:
    """The other live ones of the account since then, and what was added before; used up with it, the last one first."""
    meant = (notices.c.subject == subject, or_(notices.c.told_at >= then, notices.c.change.in_(_ADDED)))
    used = update(notices).where(*_is_live(now), *meant).values(used_at=now, expires_at=kept_until)
    return sorted(session.execute(used.returning(notices)), key=lambda row: row.told_at, reverse=True)


def has_refused_factor(session: Session, subject: str, now: datetime) -> bool:
    """Whether a refusal has lately taken a second factor off; a notice that is used is kept for that."""
    refused = (notices.c.subject == subject, notices.c.change.in_(_ADDED), notices.c.used_at.is_not(None))
    return (
        session.execute(select(notices.c.id).where(*refused, notices.c.expires_at > now).limit(1)).first() is not None
    )


def _is_live(now: datetime) -> tuple[Any, ...]:
    return (notices.c.used_at.is_(None), notices.c.expires_at > now)


def end_links(session: Session, recovery: str) -> None:
    """What sets a new password for a recovery that is over."""
    session.execute(delete(notices).where(notices.c.recovery == recovery))


def remove_expired(session: Session, now: datetime) -> None:
    session.execute(delete(notices).where(notices.c.expires_at <= now))
