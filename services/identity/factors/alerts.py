"""Telling the owner, over every channel, that the way an account is proved has changed."""

from __future__ import annotations

import secrets
from datetime import datetime

from chassis import outbox
from chassis.database import Session
from contracts.actors import Actor
from contracts.events import SecurityChanged
from services.identity import store as identity_store


def tell(session: Session, subject: str, what: str, now: datetime) -> str:
    """The alert's id, by which the owner may say that it was not them."""
    alert = secrets.token_hex(16)
    sequence = identity_store.raise_sequence(session, subject)
    actor = Actor(subject=subject, client="identity")
    outbox.add(session, SecurityChanged(subject, what, alert), sequence=sequence, actor=actor)
    return alert
