"""Loading and saving registrations that are under way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from chassis.database import Session
from services.identity.persons.tables import registrations

_ROW = registrations.c


@dataclass(frozen=True, slots=True)
class Registration:
    """`challenges` are of the codes that were sent, by kind of address; `proved` the kinds that were answered."""

    secret_hash: str
    addresses: bytes
    locale: str
    challenges: dict[str, str]
    proved: tuple[str, ...]
    expires_at: datetime


def add(session: Session, registration: Registration) -> None:
    session.execute(insert(registrations).values(asdict(registration)))


def lock(session: Session, secret_hash: str, now: datetime) -> Registration | None:
    is_it = (_ROW.secret_hash == secret_hash, _ROW.expires_at > now)
    row = session.execute(select(registrations).where(*is_it).with_for_update()).first()
    return Registration(**row._mapping) if row else None


def save(session: Session, registration: Registration) -> None:
    values = {"challenges": registration.challenges, "proved": registration.proved}
    session.execute(update(registrations).where(_ROW.secret_hash == registration.secret_hash).values(values))


def take(session: Session, secret_hash: str) -> bool:
    """Whether it was there: it is finished once."""
    taken = delete(registrations).where(_ROW.secret_hash == secret_hash).returning(_ROW.secret_hash)
    return session.execute(taken).first() is not None


def remove_expired(session: Session, now: datetime) -> None:
    session.execute(delete(registrations).where(_ROW.expires_at <= now))
