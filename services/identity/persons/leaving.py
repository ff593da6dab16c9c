"""The end of an account: what identifies its person is erased, and what the law keeps stays."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, update

from chassis import outbox
from chassis.database import Database, Session
from contracts.actors import Actor
from contracts.errors import NotPermitted, SignInRefused
from contracts.events import AccountClosed
from services.identity import passwords, tables
from services.identity import store as identity_store
from services.identity.persons.raising import require_person
from services.identity.persons.tables import assurance_changes
from services.identity.sessions import commands as sessions
from services.identity.sessions.domain import Reason
from services.identity.sessions.tables import logout_notices

KEPT = (tables.accounts, assurance_changes, logout_notices)
"""What stays of a closed account: that there was one, by its pseudonym, and who vouched for whom. The access log, which
is chained, and the cases, which the law keeps, name the pseudonym and nothing else. Notices to clients go once told."""


def close_account(database: Database, offload: Callable[..., Any], actor: Actor, password: str, now: datetime) -> None:
    """For good: nobody signs in any more, and what identifies the person is erased. Cases keep the pseudonym.

    Raise `SignInRefused` for a wrong password, `NotPermitted` for staff, whose accounts their operator ends.
    """
    with database.transaction() as session:
        account = require_person(session, actor)
        known = identity_store.get_password_hash(session, account.username)
    if account.roles:
        raise NotPermitted("close_account")
    if not offload(passwords.is_password, known[1] if known else None, password):
        raise SignInRefused
    with database.transaction() as session:
        _close(session, actor, now)


def _close(session: Session, actor: Actor, now: datetime) -> None:
    subject = actor.subject
    sequence = identity_store.raise_sequence(session, subject)
    # first, while it is known where the person is signed in: those clients are told
    sessions.end_sessions(session, subject, now, reason=Reason.CLOSED)
    outbox.add(session, AccountClosed(subject), sequence=sequence, actor=actor)
    for table in reversed(tables.metadata.sorted_tables):
        if table not in KEPT:
            _erase(session, table, subject)
    # a name that nobody can type, a hash that no password has
    left = {
        "username": f"closed {secrets.token_hex(16)}",
        "password_hash": passwords.NOBODY,
        "name": "",
        "email": None,
        "roles": (),
        "department": None,
        "assurance": 1,
        "closed_at": now,
    }
    session.execute(update(tables.accounts).where(tables.accounts.c.subject == subject).values(left))


def _erase(session: Session, table: Table, subject: str) -> None:
    """A table that refers to accounts holds what belongs to them, unless it is in `KEPT`."""
    for column in table.columns:
        if any(key.column is tables.accounts.c.subject for key in column.foreign_keys):
            session.execute(delete(table).where(column == subject))
