"""What identity holds about somebody, given out to them: everything but secrets, in the clear."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Table, select

from chassis.database import Session
from contracts import access
from contracts.actors import Actor
from services.identity import tables
from services.identity.access_log.commands import note_act
from services.identity.access_log.domain import Look
from services.identity.factors.tables import code_factors, passkeys, totp_factors
from services.identity.look_reports.tables import reports
from services.identity.mandates.tables import mandates
from services.identity.persons import store
from services.identity.persons.raising import require_person
from services.identity.persons.tables import assurance_changes, identifiers, registry_checks
from services.identity.persons.vault import Vault
from services.identity.recovery.tables import recoveries
from services.identity.security_notices.tables import security_notices

MOST_ROWS: Final = 1_000
"""Of each table."""

_TABLES: Final[Mapping[str, tuple[Column[Any], tuple[str, ...]]]] = {
    "consents": (tables.consents.c.subject, ("client_id", "scopes", "given_at")),
    "sessions": (tables.browser_sessions.c.subject, ("channel", "browser", "signed_in_at", "seen_at", "amr")),
    "sign_ins": (
        tables.token_families.c.subject,
        ("client_id", "scope", "signed_in_at", "created_at", "revoked_at"),
    ),
    "registry_checks": (registry_checks.c.subject, ("asked_at", "outcome")),
    "recoveries": (recoveries.c.subject, ("way", "loses_factors", "begun_at", "ready_at", "expires_at")),
    "security_changes": (security_notices.c.subject, ("change", "told_at")),
    "mandates_given": (
        mandates.c.principal,
        ("kind", "named", "item", "number", "created_at", "accepted_at", "ends_at", "ended_at"),
    ),
    "mandates_taken": (
        mandates.c.agent,
        ("kind", "item", "number", "created_at", "accepted_at", "ends_at", "ended_at"),
    ),
}
"""Part of the answer -> the column that says whose a row is, and what is shown of it."""

_FACTORS: Final[Mapping[str, tuple[Column[Any], tuple[str, ...]]]] = {
    "apps": (totp_factors.c.subject, ("added_at", "used_at")),
    "passkeys": (passkeys.c.subject, ("name", "transports", "added_at", "used_at")),
    "codes": (code_factors.c.subject, ("kind", "added_at")),
}
"""The same, of the part `second_factors`."""

SHOWN: Final = frozenset(whose.table.name for whose, _ in (*_TABLES.values(), *_FACTORS.values())) | {
    tables.accounts.name,
    identifiers.name,
    assurance_changes.name,
    # by `look_reports.queries.list_own`, which opens them
    reports.name,
}
"""The tables that are given out."""


def get_personal_data(session: Session, vault: Vault, actor: Actor, now: datetime) -> dict[str, Any]:
    """All of whoever asks, for themselves. It is noted in their access log: who has the file has what is in it.

    Raise `NotPermitted` for programs and who acts for somebody.
    """
    account = require_person(session, actor)
    subject = account.subject
    particulars = store.open_particulars(session, vault, subject)
    confirmed = store.list_confirmed(session, subject)
    row = session.execute(select(tables.accounts.c.registered_at).where(tables.accounts.c.subject == subject)).one()
    note_act(session, Look.by(actor, subject, access.EXPORT, role=access.SELF, purpose=access.OWN_REQUEST), now)
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
        "second_factors": _parts(session, subject, _FACTORS),
    } | _parts(session, subject, _TABLES)


def _parts(
    session: Session, subject: str, parts: Mapping[str, tuple[Column[Any], tuple[str, ...]]]
) -> dict[str, list[dict[str, Any]]]:
    return {part: _rows(session, whose, subject, names) for part, (whose, names) in parts.items()}


def _rows(session: Session, whose: Column[Any], subject: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    table: Table = whose.table
    found = select(*(table.c[name] for name in names)).where(whose == subject).limit(MOST_ROWS)
    return [{name: _plain(value) for name, value in row._mapping.items()} for row in session.execute(found)]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else list(value) if isinstance(value, tuple) else value
