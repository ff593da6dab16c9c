"""A recovery waits, becomes ready, and is over: finished, stopped by its owner, or by a sign-in of theirs.

Rows are locked in this order, so that nobody waits in a circle: sign-ins that wait, the timer, the recovery, the
account, sessions.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from chassis import schedule
from chassis.database import Session
from chassis.schedule import Due
from contracts import security
from services.identity.codes.domain import ADDRESS_OF
from services.identity.recovery import store
from services.identity.recovery.domain import LINK_LIFETIME
from services.identity.recovery.store import Recovery
from services.identity.security_notices import commands as notices
from services.identity.security_notices import store as notice_store

READY = "recovery.ready"


def begin(session: Session, subject: str, way: str, now: datetime, *, loses_factors: bool, wait: timedelta) -> Recovery:
    """The one that waits now: who begins again in the same way waits no longer and no shorter than before."""
    ready_at = now + wait
    for known in store.list_of(session, subject):
        if known.way == way:
            is_as_good = known.loses_factors == loses_factors and known.ready_at <= ready_at and now < known.expires_at
            if is_as_good:
                return _again(session, known, now)
            end(session, known)
    expires_at = ready_at + LINK_LIFETIME
    recovery = Recovery(str(uuid.uuid4()), subject, way, loses_factors, now, ready_at, expires_at)
    store.add(session, recovery)
    schedule.at(session, ready_at, READY, recovery.id, {})
    notices.note_change(session, subject, security.RECOVERY_BEGUN, now)
    return recovery


def _again(session: Session, known: Recovery, now: datetime) -> Recovery:
    if known.ready_at <= now:
        # its link has not arrived, or is lost
        notice_store.end_links(session, known.id)
        _send_link(session, known, now)
    return known


def on_ready(session: Session, due: Due, now: datetime) -> None:
    """The wait is over: the link goes to the address that was proved, and every address hears of it."""
    recovery = store.get(session, due.key, now)
    if recovery is None:
        return
    notices.note_change(session, recovery.subject, security.RECOVERY_READY, now)
    _send_link(session, recovery, now)


def _send_link(session: Session, recovery: Recovery, now: datetime) -> None:
    link = notices.add_link(session, recovery.subject, recovery.id, recovery.expires_at, now)
    notices.send_link(session, recovery.subject, link, ADDRESS_OF[recovery.way])


def cancel(session: Session, subject: str) -> bool:
    """All that wait or are ready, with their links. Whether there was one."""
    ended = [end(session, recovery) for recovery in store.list_of(session, subject)]
    store.remove_attempts(session, subject)
    return any(ended)


def cancel_by_sign_in(session: Session, subject: str, now: datetime) -> None:
    """Who signs in with all that they have has lost nothing."""
    if store.list_of(session, subject) and cancel(session, subject):
        notices.note_change(session, subject, security.RECOVERY_CANCELLED, now)


def end(session: Session, recovery: Recovery) -> bool:
    """With its timer and its link. False if somebody else was faster."""
    schedule.cancel(session, READY, recovery.id)
    notice_store.end_links(session, recovery.id)
    return store.take(session, recovery.id) is not None
