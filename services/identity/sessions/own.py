"""A person's own sessions and apps: looked at and ended by them, in a browser where they are signed in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from contracts.actors import Actor
from services.identity.domain import SCOPES
from services.identity.factors.owner import require_owner
from services.identity.sealing import hash_secret
from services.identity.sessions import commands, overview
from services.identity.sessions.domain import Reason

MOST_SESSIONS, MOST_APPS = 100, 200
"""Shown. Ending all others ends those, too, that are not."""


def list_sessions(session: Session, actor: Actor, secret: str, now: datetime) -> dict[str, Any]:
    """`sessions`, this one first and then as they were seen last; `apps` by name.

    Of an app: what it may see, since when, and whether also while nobody is there. Raise `SessionEnded`, or
    `NotPermitted` for whoever acts for the person.
    """
    subject = require_owner(session, actor, secret, now).account.subject
    here = hash_secret(secret)
    browsers = overview.list_browsers(session, subject, now, MOST_SESSIONS)
    return {
        "sessions": [
            {
                "id": row.sid,
                "is_this": row.secret_hash == here,
                "browser": row.browser,
                "signed_in_at": _time(row.signed_in_at),
                "seen_at": _time(row.seen_at),
            }
            for row in sorted(browsers, key=lambda row: row.secret_hash != here)
        ],
        "apps": _apps(session, subject, now),
    }


def _apps(session: Session, subject: str, now: datetime) -> list[dict[str, Any]]:
    consents = overview.list_consents(session, subject)
    grants = overview.list_grants(session, subject, now)
    rows = [*consents, *grants, *overview.list_joined(session, subject)]
    names = overview.list_names(session, {row.client_id for row in rows})
    apps = []
    for client_id, name in sorted(names.items(), key=lambda known: (known[1], known[0]))[:MOST_APPS]:
        # what was agreed to goes beyond what was asked for last
        told = [row for row in (*consents, *grants) if row.client_id == client_id]
        scopes = {scope for row in told for scope in row.scopes}
        apps.append(
            {
                "client": client_id,
                "name": name,
                "since": _time(min(row.since for row in rows if row.client_id == client_id)),
                "scopes": [scope for scope in SCOPES if scope in scopes],
                "is_lasting": any(row.is_lasting for row in grants if row.client_id == client_id),
            }
        )
    return apps


def end_session(session: Session, actor: Actor, secret: str, sid: str, now: datetime) -> None:
    """One of the person's own; one that is over already is over. Raise as `list_sessions` does."""
    subject = require_owner(session, actor, secret, now).account.subject
    commands.end_session(session, subject, sid, now)


def end_other_sessions(session: Session, actor: Actor, secret: str, now: datetime) -> None:
    """All but this one. What apps may do while nobody is there stays."""
    subject = require_owner(session, actor, secret, now).account.subject
    commands.end_sessions(session, subject, now, except_for=secret, reason=Reason.ENDED)


def end_app(session: Session, actor: Actor, secret: str, client_id: str, now: datetime) -> None:
    """The client has nothing of the person any more, and asks them anew."""
    subject = require_owner(session, actor, secret, now).account.subject
    commands.end_app(session, subject, client_id, now)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
