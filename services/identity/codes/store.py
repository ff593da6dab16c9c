"""Loading and saving one-time codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, insert, or_, select, update

from chassis.database import Session
from services.identity.codes.domain import DAY, MAX_ATTEMPTS
from services.identity.codes.tables import one_time_codes as codes

_LOCK_CLASS = 7_251_003
"""First number of the advisory locks."""

_WIPED = {"address": None, "code": None, "code_hash": None}


def lock(session: Session, names: Iterable[str]) -> None:
    """One code at a time for each of `names`: two at once would both be the tenth of the day."""
    # always in the same order, or two would wait for each other
    for name in sorted(names):
        session.execute(select(func.pg_advisory_xact_lock(_LOCK_CLASS, func.hashtext(name))))


def count_today(session: Session, hashes: Sequence[str], subject: str | None, now: datetime) -> Any:
    """`to_address` and `to_account` in the last 24 hours, with when the last and the oldest to the address went."""
    is_address = codes.c.address_hash.in_(hashes)
    is_account = codes.c.subject == subject if subject is not None else codes.c.subject.is_(None) & is_address
    found = select(
        func.count().filter(is_address).label("to_address"),
        func.count().filter(is_account).label("to_account"),
        func.max(codes.c.issued_at).filter(is_address).label("last_at"),
        func.min(codes.c.issued_at).label("oldest_at"),
    ).where(or_(is_address, is_account), codes.c.issued_at > now - DAY)
    return session.execute(found).one()


def supersede(session: Session, hashes: Sequence[str], subject: str | None, purpose: str, now: datetime) -> None:
    """The latest code is the only one: older ones of the same purpose are worth nothing from now on."""
    is_address = codes.c.address_hash.in_(hashes)
    is_same = is_address if subject is None else or_(is_address, codes.c.subject == subject)
    live = (codes.c.purpose == purpose, codes.c.expires_at > now, codes.c.used_at.is_(None), is_same)
    session.execute(update(codes).where(*live).values(expires_at=now, **_WIPED))


def add(session: Session, row: dict[str, Any]) -> None:
    session.execute(insert(codes).values(attempts=0, **row))


def attempt(session: Session, challenge: str, purpose: str, hashes: Sequence[str], now: datetime) -> Any | None:
    """Count a guess, and use the code up if it is right, in one statement: two at once are one after the other.

    The row if it was right, with `address` as it was; the caller wipes it.
    """
    is_right = codes.c.code_hash.in_(hashes)
    guessed = (
        update(codes)
        .where(
            codes.c.challenge == challenge,
            codes.c.purpose == purpose,
            codes.c.used_at.is_(None),
            codes.c.attempts < MAX_ATTEMPTS,
            codes.c.expires_at > now,
        )
        .values(
            attempts=codes.c.attempts + 1,
            used_at=case((is_right, now)),
        )
        .returning(codes.c.challenge, codes.c.subject, codes.c.kind, codes.c.address, codes.c.used_at)
    )
    row = session.execute(guessed).first()
    return row if row is not None and row.used_at is not None else None


def wipe(session: Session, challenge: str) -> None:
    """Nothing of it is needed any more but that it was."""
    session.execute(update(codes).where(codes.c.challenge == challenge).values(**_WIPED))


def list_unsent(session: Session, challenges: Sequence[str], now: datetime) -> list[Any]:
    """Those that are still worth sending."""
    found = select(codes).where(
        codes.c.challenge.in_(challenges),
        codes.c.code.is_not(None),
        codes.c.used_at.is_(None),
        codes.c.attempts < MAX_ATTEMPTS,
        codes.c.expires_at > now,
    )
    return list(session.execute(found))


def forget_codes(session: Session, challenges: Sequence[str]) -> None:
    """They were sent: the hash is enough to check them."""
    session.execute(update(codes).where(codes.c.challenge.in_(challenges)).values(code=None))


def remove_expired(session: Session, now: datetime) -> None:
    old = (codes.c.expires_at <= now, or_(codes.c.code_hash.is_not(None), codes.c.address.is_not(None)))
    session.execute(update(codes).where(*old).values(**_WIPED))
    session.execute(delete(codes).where(codes.c.issued_at <= now - DAY))
