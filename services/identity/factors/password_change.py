"""Changing the password: the old one again, the new one by the rules, and every other session ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput
from services.identity import password_rules, passwords, security_notices
from services.identity import store as identity_store
from services.identity.factors import store
from services.identity.factors.means import Means
from services.identity.factors.owner import require_owner
from services.identity.limits import guard
from services.identity.limits import store as limits
from services.identity.limits.domain import PASSWORD_AGAIN
from services.identity.persons import store as persons
from services.identity.sessions import commands as sessions
from services.identity.sessions.domain import Reason

Offload = Callable[..., Any]


def change_password(
    database: Database, offload: Offload, means: Means, actor: Actor, secret: str, old: str, new: str, now: datetime
) -> None:
    """Raise `SessionEnded`, `TooManyAttempts`, or `InvalidInput` for a wrong old password and for a new one that is
    refused.
    """
    with database.transaction() as session:
        account = require_owner(session, actor, secret, now).account
        known = identity_store.get_password_hash(session, account.username)
        own = own_data(session, means, account.subject)
        # a browser that was left open is a place to guess from, too
        tries = [means.codes.limits.bucket(PASSWORD_AGAIN, account.subject)]
        guard.require_tries(session, tries, now)
    if known is None or not offload(passwords.is_password, known[1], old):
        raise InvalidInput([Fault(pointer="/old", rule="password", value="wrong")])
    offload(password_rules.require_acceptable, new, own, "/new")
    new_hash = offload(passwords.hash_password, new)
    with database.transaction() as session:
        limits.put_back(session, tries)
        # in the order in which a sign-in locks them: what waits, the account, sessions
        store.remove_all_pending(session, account.subject)
        security_notices.note_change(session, account.subject, "password-changed", now)
        if not identity_store.replace_password_hash(session, account.subject, known[1], new_hash):
            raise InvalidInput([Fault(pointer="/old", rule="password", value="wrong")])
        reason = Reason.CREDENTIALS_CHANGED
        sessions.end_sessions(session, account.subject, now, except_for=secret, reason=reason)


def own_data(session: Session, means: Means, subject: str) -> tuple[str | None, ...]:
    """What a guesser who knows the person tries first."""
    account = identity_store.get_account(session, subject)
    particulars = persons.open_particulars(session, means.vault, subject)
    names = (account.username, account.name) if account else ()
    return (*names, *(value for _, value in particulars.items()))
