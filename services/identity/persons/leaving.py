"""What identity holds about somebody, given out to them; and the end of their account."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, select, update

from chassis import outbox
from chassis.database import Database, Session
from contracts.actors import Actor
from contracts.errors import NotPermitted, SignInRefused
from contracts.events import AccountClosed
from services.identity import passwords, tables
from services.identity import store as identity_store
from services.identity.factors.tables import code_factors, passkeys, totp_factors
from services.identity.persons import store
from services.identity.persons.raising import require_person
from services.identity.persons.tables import assurance_changes
from services.identity.persons.vault import Vault
from services.identity.security_notices.tables import security_notices
from services.identity.sessions import commands as sessions
from services.identity.sessions.domain import Reason
from services.identity.sessions.tables import logout_notices

KEPT = (tables.accounts, assurance_changes, logout_notices)
"""What stays of a closed account: that there was one, by its pseudonym, and who vouched for whom. The access log, which
is chained, and the cases, which the law keeps, name the pseudonym and nothing else. Notices to clients go once told."""


def get_personal_data(session: Session, vault: Vault, actor: Actor) -> dict[str, Any]:
    """Everything that identity knows of whoever asks, but secrets: for themselves, so in the clear."""
    account = require_person(session, actor)
    subject = account.subject
    particulars = store.open_particulars(session, vault, subject)
    confirmed = store.list_confirmed(session, subject)
    row = session.execute(select(tables.accounts.c.registered_at).where(tables.accounts.c.subject == subject)).one()
    return {
        "account": {
            "subject": subject,
            "username": account.username,
            "name": account.name,
            "locale": account.locale,
            "roles": list(account.roles),
            "department": account.department,
            "registered_at": row.registered_at.isoformat(),
        },
        "identifiers": {
            kind: {"value": value, "confirmed_at": confirmed[kind].isoformat() if kind in confirmed else None}
            for kind, value in particulars.items()
        },
        "assurance": {
            "level": account.assurance,
            "changes": [
                {"level": change.level, "method": change.method, "at": change.at.isoformat()}
                for change in store.list_levels(session, subject)
            ],
        },
        "second_factors": {
            "apps": _rows(session, totp_factors, subject, ("added_at", "used_at")),
            "passkeys": _rows(session, passkeys, subject, ("name", "transports", "added_at", "used_at")),
            "codes": _rows(session, code_factors, subject, ("kind", "added_at")),
        },
        "consents": _rows(session, tables.consents, subject, ("client_id", "scopes", "given_at")),
        "sessions": _rows(session, tables.browser_sessions, subject, ("channel", "signed_in_at", "seen_at", "amr")),
        "security_notices": _rows(session, security_notices, subject, ("change", "told_at")),
        "sign_ins": _rows(
            session, tables.token_families, subject, ("client_id", "scope", "signed_in_at", "created_at", "revoked_at")
        ),
    }


_MOST_ROWS = 1_000


def _rows(session: Session, table: Table, subject: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    columns = [table.c[name] for name in names]
    rows = session.execute(select(*columns).where(table.c.subject == subject).limit(_MOST_ROWS))
    return [{name: _plain(value) for name, value in row._mapping.items()} for row in rows]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else list(value) if isinstance(value, tuple) else value


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
