"""Loading and saving sessions and the clients in them. Secrets come and go as hashes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, insert, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity import tables
from services.identity.domain import SESSION_ABSOLUTE, SESSION_IDLE, BrowserSession
from services.identity.sessions.tables import client_sessions, logout_notices

_BROWSER = tables.browser_sessions
_FAMILY = tables.token_families
_WEB = tables.web_sessions


@dataclass(frozen=True, slots=True)
class ClientSession:
    """A client that got tokens in a session."""

    sid: str
    client_id: str
    subject: str


def add(session: Session, secret_hash: str, signed_in: BrowserSession, channel: str, browser: str | None) -> None:
    row = _row(secret_hash, signed_in, channel, browser) | {"sid": signed_in.sid}
    session.execute(insert(_BROWSER).values(row))


def renew(
    session: Session, before: str, secret_hash: str, signed_in: BrowserSession, channel: str, browser: str | None
) -> bool:
    """The live session of the same person under another secret, and otherwise the same. False if there is none."""
    row, now = _row(secret_hash, signed_in, channel, browser), signed_in.signed_in_at
    is_it = (_BROWSER.c.secret_hash == before, _BROWSER.c.subject == signed_in.account.subject, ~is_over(now))
    renewed = update(_BROWSER).where(*is_it).values(row).returning(_BROWSER.c.sid)
    return session.execute(renewed).first() is not None


def _row(secret_hash: str, signed_in: BrowserSession, channel: str, browser: str | None) -> dict[str, Any]:
    return {
        "secret_hash": secret_hash,
        "subject": signed_in.account.subject,
        "channel": channel,
        "signed_in_at": signed_in.signed_in_at,
        "seen_at": signed_in.signed_in_at,
        "signed_in_for": signed_in.signed_in_for,
        "amr": signed_in.amr,
        "browser": browser,
    }


def is_over(now: datetime) -> Any:
    """As `domain.is_session_live` says it of one."""
    return or_(_BROWSER.c.signed_in_at <= now - SESSION_ABSOLUTE, _BROWSER.c.seen_at <= now - SESSION_IDLE)


def join(session: Session, sid: str, client_id: str, subject: str, now: datetime) -> bool:
    """The client is in the session from now on. False if that has ended.

    Whoever ends the session at the same time waits until this transaction ends, and then finds the client in it.
    """
    found = select(_BROWSER.c.sid).where(_BROWSER.c.sid == sid).with_for_update(read=True, key_share=True)
    if session.execute(found).first() is None:
        return False
    row = {"sid": sid, "client_id": client_id, "subject": subject, "began_at": now}
    session.execute(upsert(client_sessions).values(row).on_conflict_do_nothing())
    return True


def get_sid(session: Session, secret_hash: str) -> str | None:
    return session.execute(select(_BROWSER.c.sid).where(_BROWSER.c.secret_hash == secret_hash)).scalar()


# Ending. Rows are always locked in this order, so that nobody waits in a circle: a code, the browser's session, our own
# pages' sessions, families. When the session's row is gone, whoever wanted to join it was waited for, or finds nothing


def take_by_secret(session: Session, secret_hash: str) -> list[str]:
    return _take(session, _BROWSER.c.secret_hash == secret_hash)


def take_of(session: Session, subject: str, sid: str) -> list[str]:
    return _take(session, _BROWSER.c.subject == subject, _BROWSER.c.sid == sid)


def take_all_of(session: Session, subject: str, except_for: str | None) -> list[str]:
    """All but the session with the secret whose hash is `except_for`."""
    is_other = true() if except_for is None else _BROWSER.c.secret_hash != except_for
    return _take(session, _BROWSER.c.subject == subject, is_other)


def take_over(session: Session, now: datetime, at_most: int) -> list[str]:
    """Those that nobody can use any more. What another replica is just taking is left to it."""
    found = select(_BROWSER.c.secret_hash).where(is_over(now)).limit(at_most).with_for_update(skip_locked=True)
    return _take(session, _BROWSER.c.secret_hash.in_(found.scalar_subquery()))


def _take(session: Session, *conditions: Any) -> list[str]:
    return list(session.execute(delete(_BROWSER).where(*conditions).returning(_BROWSER.c.sid)).scalars())


def take_clients(session: Session, sids: Collection[str]) -> list[ClientSession]:
    return _take_clients(session, client_sessions.c.sid.in_(sids))


def take_client(session: Session, subject: str, client_id: str) -> list[ClientSession]:
    """The one client, in all sessions of the person."""
    return _take_clients(session, client_sessions.c.subject == subject, client_sessions.c.client_id == client_id)


def _take_clients(session: Session, *conditions: Any) -> list[ClientSession]:
    row = client_sessions.c
    taken = delete(client_sessions).where(*conditions).returning(row.sid, row.client_id, row.subject)
    return [ClientSession(**each._mapping) for each in session.execute(taken)]


def end_tokens_of_sessions(session: Session, sids: Collection[str], now: datetime) -> None:
    """Our own pages' sessions, and tokens, but what a client may do while the person is away. Codes are dead by now."""
    ours = _end_web_sessions(session, _WEB.c.sid.in_(sids))
    # a refresh token is given for `offline_access`, and for nothing else
    is_online = and_(_FAMILY.c.sid.in_(sids), ~exists().where(tables.refresh_tokens.c.family_id == _FAMILY.c.id))
    _revoke(session, or_(_FAMILY.c.id.in_(ours), is_online), now)


def end_tokens_of(
    session: Session, subject: str, now: datetime, *, client_id: str | None = None, except_for: str | None = None
) -> None:
    """Every token that the person gave: to one client, or but for the session `except_for`."""

    def is_meant(table: Any) -> Any:
        of_client = true() if client_id is None else table.c.client_id == client_id
        of_others = true() if except_for is None else table.c.sid.is_distinct_from(except_for)
        return and_(table.c.subject == subject, of_client, of_others)

    _end_web_sessions(session, is_meant(_WEB))
    _revoke(session, is_meant(_FAMILY), now)


def remove_codes(session: Session, subject: str, client_id: str) -> None:
    code = tables.authorization_codes
    session.execute(delete(code).where(code.c.subject == subject, code.c.client_id == client_id))


def _end_web_sessions(session: Session, condition: Any) -> list[str]:
    """The families of their tokens."""
    return list(session.execute(delete(_WEB).where(condition).returning(_WEB.c.family_id)).scalars())


def _revoke(session: Session, condition: Any, now: datetime) -> None:
    session.execute(update(_FAMILY).where(condition, _FAMILY.c.revoked_at.is_(None)).values(revoked_at=now))


def remove_consent(session: Session, subject: str, client_id: str) -> None:
    consent = tables.consents
    session.execute(delete(consent).where(consent.c.subject == subject, consent.c.client_id == client_id))


def add_notices(session: Session, notices: list[dict[str, Any]]) -> None:
    """Of clients that want to be told; the others are left out."""
    told = select(tables.clients.c.id).where(
        tables.clients.c.id.in_({notice["client_id"] for notice in notices}),
        tables.clients.c.backchannel_logout_uri.is_not(None),
    )
    wanted = set(session.execute(told).scalars()) if notices else set()
    rows = [notice for notice in notices if notice["client_id"] in wanted]
    if rows:
        session.execute(insert(logout_notices).values(rows))


def remove_notices(session: Session, before: datetime) -> list[str]:
    """The clients that were to be told."""
    removed = delete(logout_notices).where(logout_notices.c.created_at < before).returning(logout_notices.c.client_id)
    return list(session.execute(removed).scalars())
