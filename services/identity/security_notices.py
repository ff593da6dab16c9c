"""Telling the owner that the way an account is proved has changed.

Every command that changes a security setting calls `note_change` in its own transaction: no change without a notice, no
notice without a change. What comes of one (channels, "this was not me") is behind it and no business of the callers.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from chassis import outbox
from chassis.database import Session
from contracts.actors import Actor
from contracts.events import SecurityChanged
from services.identity import store


def note_change(session: Session, subject: str, kind: str, now: datetime) -> str:
    """The notice's id, by which the owner may say that it was not them; the account's row is locked until the commit.

    `kind` is `password-changed`, `<factor>-added`, `<factor>-removed` or `recovery-renewed`, where `<factor>` is one of
    `factors.domain`'s: `totp`, `passkey`, `sms`, `mail`.
    """
    notice = secrets.token_hex(16)
    sequence = store.raise_sequence(session, subject)
    actor = Actor(subject=subject, client="identity")
    outbox.add(session, SecurityChanged(subject, kind, notice), sequence=sequence, actor=actor)
    return notice
