"""Going on at another device: a QR code leads there, once and for a short time. It stands in for no sign-in.

Whoever reads the code off a screen has to be signed in there as the very person whose draft it is, so a stranger who
photographs it gains nothing; and it is kept hashed, so who reads the database gains nothing either.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from chassis.database import Session
from chassis.sealing import Seal
from contracts.actors import Actor
from contracts.errors import NotFound
from services.cases.drafts import access
from services.cases.drafts.queries import load_draft
from services.cases.views import time_view

GOOD_FOR: Final = timedelta(minutes=10)
_MOST_CHARACTERS = 100

# one a draft: a new code ends the one before
_OFFER = text(
    """
    INSERT INTO draft_handovers (draft, applicant, token_hash, expires_at)
    VALUES (CAST(:draft AS uuid), :applicant, :token_hash, :expires_at)
    ON CONFLICT (draft) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at
    """
)
_LOOK = text(
    """
    SELECT d.item FROM draft_handovers h JOIN drafts d ON d.id = h.draft
    WHERE h.token_hash = :token_hash AND h.applicant = :applicant AND h.expires_at > :now
    """
)
_TAKE = text(
    """
    DELETE FROM draft_handovers WHERE token_hash = :token_hash AND applicant = :applicant AND expires_at > :now
    RETURNING CAST(draft AS text) AS draft
    """
)


def offer(session: Session, seal: Seal, actor: Actor, draft_id: str, now: datetime) -> dict[str, Any]:
    """A code for the person's other device: `{"token", "expires_at"}`. It is shown once, here."""
    draft = load_draft(session, seal, actor, draft_id)
    token = secrets.token_urlsafe(32)
    values = {"draft": draft.id, "applicant": draft.applicant, "token_hash": _hash(token)}
    session.execute(_OFFER, values | {"expires_at": now + GOOD_FOR})
    return {"token": token, "expires_at": time_view(now + GOOD_FOR)}


def look(session: Session, actor: Actor, token: str, now: datetime) -> dict[str, Any]:
    """What it is about, without using it up: a browser may fetch a link before anybody has followed it."""
    item = session.execute(_LOOK, _asked(actor, token, now)).scalar_one_or_none()
    if item is None or not access.may_touch(actor, item):
        raise NotFound("handover")
    return {"item": item}


def take(session: Session, seal: Seal, actor: Actor, token: str, now: datetime) -> dict[str, Any]:
    """The draft's id, once. Used, too late, or somebody else's: the same `NotFound`."""
    draft = session.execute(_TAKE, _asked(actor, token, now)).scalar_one_or_none()
    if draft is None:
        raise NotFound("handover")
    return {"draft": load_draft(session, seal, actor, draft).id}


def _asked(actor: Actor, token: str, now: datetime) -> dict[str, Any]:
    return {"token_hash": _hash(token), "applicant": access.applicant_of(actor).subject, "now": now}


def _hash(token: object) -> bytes:
    return hashlib.sha256(str(token)[:_MOST_CHARACTERS].encode("utf-8", "surrogatepass")).digest()
