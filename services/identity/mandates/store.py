"""Loading and saving mandates."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from chassis.database import Session
from services.identity import tables as identity_tables
from services.identity.mandates.domain import AUTHORISATION, Mandate
from services.identity.mandates.tables import mandates

_ROW = [mandates.c[field.name] for field in fields(Mandate)]
_MOST = 200


@dataclass(frozen=True, slots=True)
class Named:
    """A mandate with the names of both sides."""

    mandate: Mandate
    principal: str
    agent: str | None


def add(session: Session, mandate: Mandate) -> None:
    session.execute(insert(mandates).values(asdict(mandate)))


def load(session: Session, mandate_id: object, *, lock: bool = False) -> Mandate | None:
    """None also for what is no id."""
    try:
        known = str(uuid.UUID(str(mandate_id)))
    except ValueError:
        return None
    found = select(*_ROW).where(mandates.c.id == known)
    row = session.execute(found.with_for_update() if lock else found).first()
    return Mandate(**row._mapping) if row else None


def list_of(session: Session, subject: str) -> list[Named]:
    """Given and received, the newest first. What was offered to somebody and is over is not shown to them."""
    principal, agent = (identity_tables.accounts.alias(name) for name in ("principal", "agent"))
    joined = mandates.join(principal, principal.c.subject == mandates.c.principal).outerjoin(
        agent, agent.c.subject == mandates.c.agent
    )
    is_mine = (mandates.c.principal == subject) | (mandates.c.agent == subject)
    found = select(*_ROW, principal.c.name.label("principal_name"), agent.c.name.label("agent_name"))
    found = found.select_from(joined).where(is_mine).order_by(mandates.c.created_at.desc(), mandates.c.id).limit(_MOST)
    return [_named(row) for row in session.execute(found)]


def _named(row: Any) -> Named:
    values = dict(row._mapping)
    principal, agent = values.pop("principal_name"), values.pop("agent_name")
    return Named(Mandate(**values), principal, agent)


def count_since(session: Session, principal: str, since: datetime) -> int:
    mine = (mandates.c.principal == principal, mandates.c.created_at > since)
    return int(session.execute(select(func.count()).where(*mine)).scalar_one())


def count_open(session: Session, principal: str, now: datetime) -> int:
    mine = (mandates.c.principal == principal, mandates.c.ended_at.is_(None), mandates.c.ends_at > now)
    return int(session.execute(select(func.count()).where(*mine)).scalar_one())


def lock_account(session: Session, subject: str) -> None:
    """Whoever gives mandates in somebody's name does so alone until the transaction ends."""
    account = identity_tables.accounts.c
    session.execute(select(account.subject).where(account.subject == subject).with_for_update())


def accept(session: Session, mandate_id: str, now: datetime) -> None:
    session.execute(update(mandates).where(mandates.c.id == mandate_id).values(accepted_at=now))


def end(session: Session, mandate_id: str, by: str, now: datetime) -> None:
    session.execute(update(mandates).where(mandates.c.id == mandate_id).values(ended_at=now, ended_by=by))


def end_given_since(session: Session, principal: str, since: datetime, by: str, now: datetime) -> None:
    """Authorisations, offered or running; a guardianship is confirmed by a clerk and nobody gives it in a session."""
    given = (mandates.c.principal == principal, mandates.c.kind == AUTHORISATION, mandates.c.created_at > since)
    session.execute(update(mandates).where(*given, mandates.c.ended_at.is_(None)).values(ended_at=now, ended_by=by))


def end_guardianships(session: Session, principal: str, agent: str, by: str, now: datetime) -> None:
    """Those of this pair that run; a new one takes their place."""
    pair = (mandates.c.principal == principal, mandates.c.agent == agent, mandates.c.kind == "guardianship")
    session.execute(update(mandates).where(*pair, mandates.c.ended_at.is_(None)).values(ended_at=now, ended_by=by))
