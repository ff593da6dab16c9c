"""Finding who is meant, and loading and saving recoveries."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import and_, delete, false, func, insert, or_, select, update

from chassis.database import Session
from services.identity import store as identity_store
from services.identity import tables
from services.identity.codes.domain import DAY, MAX_A_DAY_TO_ADDRESS, RESEND_AFTER
from services.identity.codes.tables import one_time_codes
from services.identity.domain import Account, normalize_username
from services.identity.persons.identifiers import KINDS, normalize
from services.identity.persons.tables import identifiers
from services.identity.persons.vault import Vault
from services.identity.recovery.domain import PURPOSE
from services.identity.recovery.tables import recoveries, recovery_attempts
from services.identity.sealing import SealedOtherwise
from services.identity.store import IS_OPEN


@dataclass(frozen=True, slots=True)
class Person:
    """Who was named, if they may recover by themselves."""

    subject: str
    username: str
    locale: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """`subject` is None where nobody is meant."""

    secret_hash: str
    subject: str | None
    way: str
    challenge: str
    other_challenge: str | None
    proofs: tuple[str, ...]
    begun_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Recovery:
    id: str
    subject: str
    way: str
    loses_factors: bool
    begun_at: datetime
    ready_at: datetime
    expires_at: datetime


def find_person(session: Session, vault: Vault, said: str) -> Person | None:
    """By user name, or by what is confirmed as theirs. The same statements whoever is named.

    Staff is not found, nor who has no password (a ward), nor who has left. What is confirmed goes before a user name:
    anybody may call themselves by another's number.
    """
    row = identifiers.c
    spelled = [(kind, value) for kind in KINDS if (value := normalize(kind, said))]
    is_theirs = [and_(row.kind == kind, row.blind_index.in_(vault.indexes(kind, value))) for kind, value in spelled]
    confirmed = select(row.subject).where(row.confirmed_at.is_not(None), or_(false(), *is_theirs)).limit(1)
    holder = session.execute(confirmed).scalar()
    account = tables.accounts.c
    is_named = account.username == (normalize_username(said) or "") if holder is None else account.subject == holder
    found = session.execute(
        select(account.subject, account.username, account.locale).where(
            is_named,
            *IS_OPEN,
            account.password_hash.is_not(None),
            func.cardinality(account.roles) == 0,
        )
    ).first()
    return Person(**found._mapping) if found else None


def get_address(session: Session, vault: Vault, subject: str, kind: str) -> str | None:
    """The confirmed one."""
    row = identifiers.c
    this = (row.subject == subject, row.kind == kind, row.confirmed_at.is_not(None))
    found = session.execute(select(row.sealed, row.key_id).where(*this)).first()
    try:
        return vault.open(subject, kind, found.sealed, found.key_id) if found else None
    except SealedOtherwise:
        return None


def may_be_sent_a_code(session: Session, subject: str, now: datetime, most: int) -> bool:
    """Whether the limits of codes leave one more, and not more than `most` a day went out for recoveries."""
    code = one_time_codes.c
    for_recovery = func.count().filter(code.purpose == PURPOSE)
    sent = select(func.count(), for_recovery, func.max(code.issued_at))
    of_today = (code.subject == subject, code.issued_at > now - DAY)
    count, recovering, last_at = session.execute(sent.where(*of_today)).one()
    is_too_soon = last_at is not None and now < last_at + RESEND_AFTER
    return recovering < most and count < MAX_A_DAY_TO_ADDRESS and not is_too_soon


# Attempts


def add_attempt(session: Session, attempt: Attempt) -> None:
    session.execute(insert(recovery_attempts).values(asdict(attempt)))


def lock_attempt(session: Session, secret_hash: str, now: datetime) -> Attempt | None:
    row = recovery_attempts.c
    live = (row.secret_hash == secret_hash, row.expires_at > now)
    found = session.execute(select(recovery_attempts).where(*live).with_for_update()).first()
    return Attempt(**dict(found._mapping) | {"proofs": tuple(found.proofs)}) if found else None


def save_attempt(session: Session, attempt: Attempt) -> None:
    changed = {"proofs": attempt.proofs, "other_challenge": attempt.other_challenge}
    this = update(recovery_attempts).where(recovery_attempts.c.secret_hash == attempt.secret_hash)
    session.execute(this.values(changed))


def take_attempt(session: Session, secret_hash: str) -> bool:
    """In one statement: of two at once one wins."""
    return bool(
        session.execute(delete(recovery_attempts).where(recovery_attempts.c.secret_hash == secret_hash)).rowcount
    )


def remove_attempts(session: Session, subject: str) -> None:
    session.execute(delete(recovery_attempts).where(recovery_attempts.c.subject == subject))


# Recoveries


def add(session: Session, recovery: Recovery) -> None:
    session.execute(insert(recoveries).values(asdict(recovery)))


def get(session: Session, recovery: str, now: datetime) -> Recovery | None:
    row = recoveries.c
    found = session.execute(select(recoveries).where(row.id == recovery, row.expires_at > now)).first()
    return Recovery(**found._mapping) if found else None


def list_of(session: Session, subject: str) -> list[Recovery]:
    found = session.execute(select(recoveries).where(recoveries.c.subject == subject).order_by(recoveries.c.id))
    return [Recovery(**row._mapping) for row in found]


def take(session: Session, recovery: str) -> Recovery | None:
    """In one statement: of two at once one wins, whether it finishes or cancels."""
    taken = (
        delete(recoveries)
        .where(recoveries.c.id == recovery)
        .returning(*(recoveries.c[f.name] for f in fields(Recovery)))
    )
    found = session.execute(taken).first()
    return Recovery(**found._mapping) if found else None


def set_password(session: Session, subject: str, password_hash: str) -> None:
    account = tables.accounts
    session.execute(update(account).where(account.c.subject == subject).values(password_hash=password_hash))


def get_standing(session: Session, subject: str) -> Account | None:
    """The account, if it is open and has a password."""
    account = tables.accounts.c
    has_one = select(account.subject).where(account.subject == subject, account.password_hash.is_not(None))
    return identity_store.get_account(session, subject) if session.execute(has_one).first() else None


def remove_expired(session: Session, now: datetime) -> None:
    session.execute(delete(recovery_attempts).where(recovery_attempts.c.expires_at <= now))
    session.execute(delete(recoveries).where(recoveries.c.expires_at <= now))
