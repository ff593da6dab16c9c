"""Where a person is signed in, and which apps have something of theirs: read, never changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from chassis.database import Session
from services.identity import tables
from services.identity.domain import ACCESS_TOKEN_SECONDS
from services.identity.sessions.store import is_over
from services.identity.sessions.tables import client_sessions

_BROWSER = tables.browser_sessions.c
_FAMILY = tables.token_families.c
_REFRESH = tables.refresh_tokens.c
_WEB = tables.web_sessions.c

_LONGEST_ACCESS = timedelta(seconds=ACCESS_TOKEN_SECONDS[1])


def list_browsers(session: Session, subject: str, now: datetime, at_most: int) -> list[Any]:
    """Rows of what is live, seen last first."""
    row = (_BROWSER.sid, _BROWSER.secret_hash, _BROWSER.browser, _BROWSER.signed_in_at, _BROWSER.seen_at)
    found = select(*row).where(_BROWSER.subject == subject, ~is_over(now))
    return list(session.execute(found.order_by(_BROWSER.seen_at.desc(), _BROWSER.sid).limit(at_most)))


def list_consents(session: Session, subject: str) -> list[Any]:
    """Rows of `client_id`, `since`, `scopes`."""
    consent = tables.consents.c
    found = select(consent.client_id, consent.given_at.label("since"), consent.scopes)
    return list(session.execute(found.where(consent.subject == subject)))


def list_grants(session: Session, subject: str, now: datetime) -> list[Any]:
    """The same of tokens that are good, or can be renewed, but for those of our own pages in a browser's session.

    One row a client and scope; `is_lasting` where there is a refresh token.
    """
    is_lasting = exists().where(
        _REFRESH.family_id == _FAMILY.id, _REFRESH.spent_at.is_(None), _REFRESH.expires_at > now
    )
    is_of_a_page = exists().where(_WEB.family_id == _FAMILY.id, _WEB.sid.is_not(None))
    is_live = and_(_FAMILY.revoked_at.is_(None), or_(is_lasting, _FAMILY.created_at > now - _LONGEST_ACCESS))
    found = select(
        _FAMILY.client_id,
        func.min(_FAMILY.created_at).label("since"),
        func.string_to_array(_FAMILY.scope, " ").label("scopes"),
        func.bool_or(is_lasting).label("is_lasting"),
    )
    mine = found.where(_FAMILY.subject == subject, is_live, ~is_of_a_page)
    return list(session.execute(mine.group_by(_FAMILY.client_id, _FAMILY.scope)))


def list_joined(session: Session, subject: str) -> list[Any]:
    """Rows of `client_id`, `since` of clients in a session of the person, but for our own pages."""
    is_of_a_page = exists().where(_WEB.sid == client_sessions.c.sid, _WEB.client_id == client_sessions.c.client_id)
    row = client_sessions.c
    found = select(row.client_id, func.min(row.began_at).label("since"))
    return list(session.execute(found.where(row.subject == subject, ~is_of_a_page).group_by(row.client_id)))


def list_names(session: Session, clients: Iterable[str]) -> dict[str, str]:
    client = tables.clients.c
    found = select(client.id, client.name).where(client.id.in_(list(clients)))
    return {row.id: row.name for row in session.execute(found)}
