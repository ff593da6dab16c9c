"""Telling the owner, on every channel, that the way their account is proved has changed.

Called in the transaction of the change. Nothing is opened here: notify asks where it goes when it is sent.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from chassis import outbox
from chassis.database import Session
from contracts import security
from contracts.actors import Actor
from contracts.events import SecurityChanged
from services.identity import store as identity_store
from services.identity.codes.domain import WAY_OF
from services.identity.persons.identifiers import EMAIL, PHONE
from services.identity.security_notices import store

LIFETIME = timedelta(days=7)
"""How long "this was not me" is believed, and how long a notice is tried to be sent."""


def note_change(session: Session, subject: str, change: str, now: datetime, *, former: Any | None = None) -> str:
    """The notice's id; the account's row is locked until the commit.

    `change` is a word of `contracts.security`. `former` is the row of an address as it was before the change: that
    address is told, too.
    """
    notice = _add(session, subject, change, now, now + LIFETIME)
    kinds = store.copy_addresses(session, notice, subject, (EMAIL, PHONE))
    ways = [WAY_OF[kind] for kind in kinds]
    if former is not None:
        store.add_former(session, notice, former)
        ways.append(f"{WAY_OF[former.kind]}-{security.FORMER}")
    _publish(session, subject, change, notice, _worthwhile(change, ways))
    return notice


def add_link(session: Session, subject: str, recovery: str, expires_at: datetime, now: datetime) -> str:
    """A notice that is sent to nobody yet: what sets the new password of a recovery."""
    return _add(session, subject, security.RECOVERY_LINK, now, expires_at, recovery)


def send_link(session: Session, subject: str, link: str, kind: str) -> None:
    """To the one address that the recovery was begun by."""
    store.copy_addresses(session, link, subject, (kind,))
    _publish(session, subject, security.RECOVERY_LINK, link, [WAY_OF[kind]])


def _add(
    session: Session, subject: str, change: str, now: datetime, until: datetime, recovery: str | None = None
) -> str:
    if change not in security.CHANGES:
        raise ValueError(f"no word for a change: {change}")
    notice = secrets.token_hex(16)
    row = {"id": notice, "subject": subject, "change": change, "told_at": now, "expires_at": until}
    store.add(session, row | {"recovery": recovery})
    return notice


def _worthwhile(change: str, ways: list[str]) -> list[str]:
    """A sign-in is told by short message to who has no mail: a number takes few a day, and codes need them."""
    is_sign_in = change == security.NEW_DEVICE and security.MAIL in ways
    return [way for way in ways if way != security.SMS] if is_sign_in else ways


def _publish(session: Session, subject: str, change: str, notice: str, ways: list[str]) -> None:
    sequence = identity_store.raise_sequence(session, subject)
    event = SecurityChanged(subject, change, notice, " ".join(sorted(ways)) or "-")
    outbox.add(session, event, sequence=sequence, actor=Actor(subject=subject, client="identity"))
