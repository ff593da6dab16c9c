"""Loading and saving second factors and the sign-ins that wait for one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity.factors.domain import STEP_LIFETIME, Factors, PendingSignIn
from services.identity.factors.tables import (
    ceremonies,
    code_factors,
    passkeys,
    pending_sign_ins,
    recovery_codes,
    totp_factors,
)

_PENDING = [pending_sign_ins.c[field.name] for field in fields(PendingSignIn)]


def get_factors(session: Session, subject: str) -> Factors:
    """In one statement: every sign-in asks it."""
    codes = select(func.array_agg(code_factors.c.kind)).where(code_factors.c.subject == subject)
    unused = (recovery_codes.c.subject == subject, recovery_codes.c.used_at.is_(None))
    row = session.execute(
        select(
            select(func.count()).where(totp_factors.c.subject == subject).scalar_subquery(),
            select(func.count()).where(passkeys.c.subject == subject).scalar_subquery(),
            codes.scalar_subquery(),
            select(func.count()).where(*unused).scalar_subquery(),
        )
    ).one()
    return Factors(bool(row[0]), row[1], tuple(row[2] or ()), row[3])


# Sign-ins that wait


def add_pending(session: Session, pending: PendingSignIn) -> None:
    session.execute(insert(pending_sign_ins).values(asdict(pending)))


def get_pending(session: Session, secret_hash: str, now: datetime, *, lock: bool = False) -> PendingSignIn | None:
    """The live one; locked so that answers that race are counted one after the other."""
    found = select(*_PENDING).where(pending_sign_ins.c.secret_hash == secret_hash)
    row = session.execute(found.with_for_update() if lock else found).first()
    pending = PendingSignIn(**dict(row._mapping) | {"amr": tuple(row.amr)}) if row else None
    return pending if pending is not None and pending.is_live(now) else None


def count_attempt(session: Session, secret_hash: str) -> None:
    pending = pending_sign_ins
    session.execute(update(pending).where(pending.c.secret_hash == secret_hash).values(attempts=pending.c.attempts + 1))


def remove_pending(session: Session, secret_hash: str) -> None:
    session.execute(delete(pending_sign_ins).where(pending_sign_ins.c.secret_hash == secret_hash))


def remove_all_pending(session: Session, subject: str) -> None:
    session.execute(delete(pending_sign_ins).where(pending_sign_ins.c.subject == subject))


def set_code_challenge(session: Session, secret_hash: str, challenge: str) -> None:
    pending = pending_sign_ins
    session.execute(update(pending).where(pending.c.secret_hash == secret_hash).values(code_challenge=challenge))


def get_code_challenge(session: Session, secret_hash: str) -> str | None:
    pending = pending_sign_ins.c
    return session.execute(select(pending.code_challenge).where(pending.secret_hash == secret_hash)).scalar()


# One-time passwords of an app


def get_totp(session: Session, subject: str, *, lock: bool = False) -> Any | None:
    found = select(totp_factors).where(totp_factors.c.subject == subject)
    return session.execute(found.with_for_update() if lock else found).first()


def save_totp(session: Session, subject: str, secret: bytes, step: int, now: datetime) -> None:
    """A new one takes the place of the one before."""
    row = {"subject": subject, "secret": secret, "last_step": step, "added_at": now, "used_at": None}
    session.execute(upsert(totp_factors).values(row).on_conflict_do_update(index_elements=["subject"], set_=row))


def use_totp(session: Session, subject: str, step: int, now: datetime) -> None:
    row = totp_factors
    session.execute(update(row).where(row.c.subject == subject).values(last_step=step, used_at=now))


def remove_totp(session: Session, subject: str) -> bool:
    return bool(session.execute(delete(totp_factors).where(totp_factors.c.subject == subject)).rowcount)


# Codes by message


def save_code_factor(session: Session, subject: str, kind: str, now: datetime) -> None:
    added = upsert(code_factors).values(subject=subject, kind=kind, added_at=now)
    session.execute(added.on_conflict_do_nothing())


def remove_code_factor(session: Session, subject: str, kind: str) -> bool:
    row = code_factors.c
    return bool(session.execute(delete(code_factors).where(row.subject == subject, row.kind == kind)).rowcount)


def list_code_factors(session: Session, subject: str) -> list[Any]:
    return list(session.execute(select(code_factors).where(code_factors.c.subject == subject)))


# Recovery codes


def replace_recovery_codes(session: Session, subject: str, hashes: Iterable[str]) -> None:
    session.execute(delete(recovery_codes).where(recovery_codes.c.subject == subject))
    rows = [{"subject": subject, "code_hash": each} for each in hashes]
    if rows:
        session.execute(insert(recovery_codes), rows)


def use_recovery_code(session: Session, subject: str, code_hash: str, now: datetime) -> bool:
    """In one statement: two at once with one code do not both win."""
    row = recovery_codes.c
    this = (row.subject == subject, row.code_hash == code_hash, row.used_at.is_(None))
    return bool(session.execute(update(recovery_codes).where(*this).values(used_at=now)).rowcount)


# Passkeys


def add_passkey(session: Session, row: dict[str, Any]) -> bool:
    """False if this credential is there already, whosever it is."""
    added = upsert(passkeys).values(row).on_conflict_do_nothing()
    return session.execute(added.returning(passkeys.c.id)).first() is not None


def get_passkey(session: Session, credential_id: str) -> Any | None:
    """Locked: its counter is compared and raised in one transaction."""
    return session.execute(select(passkeys).where(passkeys.c.id == credential_id).with_for_update()).first()


def list_passkeys(session: Session, subject: str) -> list[Any]:
    found = select(passkeys).where(passkeys.c.subject == subject).order_by(passkeys.c.added_at)
    return list(session.execute(found))


def use_passkey(session: Session, credential_id: str, sign_count: int, *, is_backed_up: bool, now: datetime) -> None:
    this = update(passkeys).where(passkeys.c.id == credential_id)
    session.execute(this.values(sign_count=sign_count, is_backed_up=is_backed_up, used_at=now))


def remove_passkey(session: Session, subject: str, credential_id: str) -> bool:
    row = passkeys.c
    return bool(session.execute(delete(passkeys).where(row.subject == subject, row.id == credential_id)).rowcount)


def add_ceremony(session: Session, row: dict[str, Any]) -> None:
    session.execute(insert(ceremonies).values(row))


def take_ceremony(session: Session, secret_hash: str, purpose: str, now: datetime) -> Any | None:
    """It is used up, whatever comes of it."""
    row = ceremonies.c
    taken = delete(ceremonies).where(row.secret_hash == secret_hash, row.purpose == purpose)
    found = session.execute(taken.returning(row.subject, row.challenge, row.expires_at)).first()
    return found if found is not None and now < found.expires_at else None


def remove_added(session: Session, subject: str, kind: str, at: datetime) -> None:
    """The factor that was added at this very moment, if it is still there."""
    table = {"totp": totp_factors, "passkey": passkeys}.get(kind, code_factors)
    is_kind = (code_factors.c.kind == kind,) if table is code_factors else ()
    session.execute(delete(table).where(table.c.subject == subject, table.c.added_at == at, *is_kind))


def remove_second_factors(session: Session, subject: str) -> None:
    for table in (totp_factors, passkeys, code_factors, recovery_codes):
        session.execute(delete(table).where(table.c.subject == subject))


def remove_expired(session: Session, now: datetime) -> None:
    session.execute(delete(ceremonies).where(ceremonies.c.expires_at < now))
    session.execute(delete(pending_sign_ins).where(pending_sign_ins.c.begun_at < now - STEP_LIFETIME))
