"""Loading and saving proofs of presence. The secret comes and goes as its hash."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import delete, insert, select

from chassis.database import Session
from services.identity.presence.domain import Presence
from services.identity.presence.tables import presences, visits

_ROW = [presences.c[field.name] for field in fields(Presence)]


def add(session: Session, presence: Presence) -> None:
    session.execute(insert(presences).values(asdict(presence)))


def take(session: Session, secret_hash: str, clerk: str, now: datetime) -> Presence | None:
    """Consume the clerk's proof. One statement: of two exchanges that race with one, one gets nothing."""
    is_it = (presences.c.secret_hash == secret_hash, presences.c.clerk == clerk, presences.c.expires_at > now)
    row = session.execute(delete(presences).where(*is_it).returning(*_ROW)).first()
    return Presence(**row._mapping) if row else None


def remove_expired(session: Session, now: datetime) -> None:
    session.execute(delete(presences).where(presences.c.expires_at < now))


def is_visit_live(session: Session, secret_hash: str, now: datetime) -> bool:
    row = visits.c
    return (
        session.execute(select(row.subject).where(row.secret_hash == secret_hash, row.ends_at > now)).first()
        is not None
    )
