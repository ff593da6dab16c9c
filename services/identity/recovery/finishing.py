"""The end of a recovery: a new password, and whoever was in the account is out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from contracts import security
from contracts.errors import NotFound
from services.identity import password_rules, passwords
from services.identity.factors import store as factor_store
from services.identity.factors.password_change import own_data
from services.identity.limits import devices
from services.identity.recovery import store, waiting
from services.identity.recovery.attempts import Desk, needed_wait
from services.identity.recovery.domain import Waits
from services.identity.sealing import hash_secret
from services.identity.security_notices import commands as notices
from services.identity.security_notices import store as notice_store
from services.identity.security_notices.looking_up import Lookup
from services.identity.sessions import commands as sessions
from services.identity.sessions.domain import Reason

Offload = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Ready:
    """What may set the password: an attempt that need not wait, or a link. `take` uses it up."""

    subject: str
    loses_factors: bool
    take: Callable[[Session], bool]


def require_link(lookup: Lookup, code: str, now: datetime) -> None:
    """Raise `NotFound` for one that is used, too old or none."""
    _by_link(lookup, code, now)


def finish_attempt(
    database: Database, offload: Offload, desk: Desk, secret: str, password: str, device: str | None, now: datetime
) -> str:
    """Set the password at once. As `finish_link`."""
    with database.transaction() as session:
        ready = _by_attempt(session, secret, desk.waits, now)
    return _finish(database, offload, desk, ready, password, device, now)


def finish_link(
    lookup: Lookup, offload: Offload, desk: Desk, code: str, password: str, device: str | None, now: datetime
) -> str:
    """The cookie by which the browser is known to the account from now on, so that strangers' guesses do not matter.

    Raise `NotFound`, or `InvalidInput` for a password that is refused, which uses nothing up.
    """
    ready = _by_link(lookup, code, now)
    return _finish(lookup.database, offload, desk, ready, password, device, now)


def _by_attempt(session: Session, secret: str, waits: Waits, now: datetime) -> _Ready:
    attempt = store.lock_attempt(session, hash_secret(secret), now)
    if attempt is None or attempt.subject is None or not attempt.proofs:
        raise NotFound("recovery")
    if needed_wait(session, waits, attempt, factor_store.get_factors(session, attempt.subject), now):
        raise NotFound("recovery")
    return _Ready(attempt.subject, False, lambda later: store.take_attempt(later, attempt.secret_hash))


def _by_link(lookup: Lookup, code: str, now: datetime) -> _Ready:
    link = lookup.require(code, now)
    with lookup.database.transaction() as session:
        recovery = store.get(session, link.recovery, now) if link.recovery else None
    if recovery is None or now < recovery.ready_at:
        raise NotFound("recovery")
    return _Ready(recovery.subject, recovery.loses_factors, lambda later: _take(later, recovery.id))


def _take(session: Session, recovery: str) -> bool:
    """False if its owner has stopped it, or somebody else was faster."""
    is_taken = store.take(session, recovery) is not None
    notice_store.end_links(session, recovery)
    return is_taken


def _finish(
    database: Database, offload: Offload, desk: Desk, ready: _Ready, password: str, device: str | None, now: datetime
) -> str:
    with database.transaction() as session:
        standing = store.get_standing(session, ready.subject)
        own = own_data(session, desk.means, ready.subject)
    if standing is None:
        raise NotFound("recovery")
    offload(password_rules.require_acceptable, password, own)
    password_hash = offload(passwords.hash_password, password)
    with database.transaction() as session:
        factor_store.remove_all_pending(session, ready.subject)
        if not ready.take(session):
            raise NotFound("recovery")
        waiting.cancel(session, ready.subject)
        notices.note_change(session, ready.subject, security.PASSWORD_RECOVERED, now)
        store.set_password(session, ready.subject, password_hash)
        if ready.loses_factors:
            factor_store.remove_second_factors(session, ready.subject)
        sessions.end_sessions(session, ready.subject, now, reason=Reason.CREDENTIALS_CHANGED)
    return devices.remember(desk.devices, device, standing.username, now)
