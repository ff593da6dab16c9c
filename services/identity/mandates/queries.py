"""Mandates as both sides see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from contracts.actors import Actor
from services.identity.mandates import domain, store
from services.identity.mandates.store import Named


def list_mandates(session: Session, actor: Actor, now: datetime) -> dict[str, Any]:
    """`given` by the caller and `received`, the newest first. An offer that is over is the receiver's no more."""
    subject = domain.require_own(actor)
    found = store.list_of(session, subject)
    received = [
        named
        for named in found
        if named.mandate.agent == subject and (named.mandate.accepted_at or named.mandate.is_offered(now))
    ]
    given = [named for named in found if named.mandate.principal == subject]
    return {
        name: [view(each, subject, now) for each in side] for name, side in (("given", given), ("received", received))
    }


def view(named: Named, subject: str, now: datetime) -> dict[str, Any]:
    """The principal learns the agent's name when the agent has accepted, not before: until then it is a guess."""
    mandate = named.mandate
    is_given = mandate.principal == subject
    agent = named.agent if mandate.accepted_at else mandate.named
    return {
        "id": mandate.id,
        "kind": mandate.kind,
        "name": agent if is_given else named.principal,
        "item": mandate.item,
        "number": mandate.number,
        "status": mandate.status(now),
        "created_at": _time(mandate.created_at),
        "ends_at": _time(mandate.ended_at or mandate.ends_at),
        "ended_by": mandate.ended_by,
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
