"""Sessions begin and end. What ends with one ends in the same transaction; clients are told afterwards (`logout`)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from chassis.database import Session
from services.identity import metrics
from services.identity.device import store as device_store
from services.identity.domain import BrowserSession
from services.identity.sealing import hash_secret
from services.identity.sessions import store
from services.identity.sessions.domain import GIVEN_UP, MAX_BROWSER, NOTICE_LIFETIME, Reason, new_sid
from services.identity.sessions.store import ClientSession

log = logging.getLogger(__name__)

_EXPIRED_AT_ONCE = 200


def begin(
    session: Session,
    secret: str,
    signed_in: BrowserSession,
    channel: str,
    *,
    previous: str | None = None,
    browser: str | None = None,
) -> None:
    """Whoever knew the browser's `previous` secret does not know this one (session fixation).

    Who signs in again goes on in the same session, which no client need hear of. Another person's ends.
    """
    short = browser[:MAX_BROWSER] if browser else None
    before = hash_secret(previous) if previous is not None else None
    if before is not None and store.renew(session, before, hash_secret(secret), signed_in, channel, short):
        return
    if before is not None:
        _end(session, store.take_by_secret(session, before), Reason.REPLACED, signed_in.signed_in_at)
    store.add(session, hash_secret(secret), replace(signed_in, sid=new_sid()), channel, short)


def sign_out(session: Session, secret: str, now: datetime) -> None:
    """Of this browser, at every client."""
    _end(session, store.take_by_secret(session, hash_secret(secret)), Reason.SIGNED_OUT, now)


def end_session(session: Session, subject: str, sid: str, now: datetime) -> bool:
    """One of the person's own, from elsewhere. False if there is none."""
    taken = store.take_of(session, subject, sid)
    _end(session, taken, Reason.ENDED, now)
    return bool(taken)


def end_sessions(
    session: Session, subject: str, now: datetime, *, except_for: str | None = None, reason: Reason
) -> None:
    """All sessions of the person, but the one whose secret is `except_for`."""
    kept = hash_secret(except_for) if except_for is not None else None
    kept_sid = store.get_sid(session, kept) if kept is not None else None
    _end(session, store.take_all_of(session, subject, kept), reason, now)
    if reason.ends_all_access:
        store.end_tokens_of(session, subject, now, except_for=kept_sid)
        device_store.remove_approved(session, subject)


def end_expired(session: Session, now: datetime) -> int:
    """Some of those that are over; how many these were."""
    taken = store.take_over(session, now, _EXPIRED_AT_ONCE)
    _end(session, taken, Reason.EXPIRED, now)
    return len(taken)


def end_app(session: Session, subject: str, client_id: str, now: datetime) -> None:
    """The client has nothing of the person any more: no consent, no tokens, no session."""
    store.remove_codes(session, subject, client_id)
    device_store.remove_approved(session, subject, client_id)
    store.remove_consent(session, subject, client_id)
    store.end_tokens_of(session, subject, now, client_id=client_id)
    _tell(session, store.take_client(session, subject, client_id), now)


def remove_old_notices(session: Session, now: datetime) -> None:
    """Nobody sends them, or their clients take none: neither must go unseen."""
    removed = store.remove_notices(session, now - NOTICE_LIFETIME)
    if removed:
        log.error("not told of the end of a session within a day: %s", ", ".join(sorted(set(removed))))
        metrics.logout_notices.labels(GIVEN_UP).inc(len(removed))


def _end(session: Session, sids: Collection[str], reason: Reason, now: datetime) -> None:
    if not sids:
        return
    store.end_tokens_of_sessions(session, sids, now)
    _tell(session, store.take_clients(session, sids), now)
    metrics.sessions_ended.labels(reason).inc(len(sids))


def _tell(session: Session, ended: list[ClientSession], now: datetime) -> None:
    notices = [
        {
            "id": str(uuid.uuid4()),
            "client_id": each.client_id,
            "subject": each.subject,
            "sid": each.sid,
            "created_at": now,
            "next_attempt_at": now,
            "attempts": 0,
        }
        for each in ended
    ]
    store.add_notices(session, notices)
