"""Loading and saving identifiers. Values go in and come out in the clear; at rest they are sealed (`vault`)."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity import tables as identity_tables
from services.identity.persons.identifiers import EMAIL, ID_NUMBER, Particulars
from services.identity.persons.tables import assurance_changes, identifiers
from services.identity.persons.vault import Vault
from services.identity.sealing import SealedOtherwise

log = logging.getLogger(__name__)

_HASH_BYTES = 8


def save(
    session: Session, vault: Vault, subject: str, particulars: Particulars, confirmed_at: datetime | None = None
) -> None:
    """As the person says them, in the spelling of `identifiers.normalize`; what they said before is replaced.

    With `confirmed_at`, raises `IntegrityError` if an account has one of them confirmed: ask `is_free` before.
    """
    for kind, value in particulars.items():
        sealed = vault.close(subject, kind, value)
        row = {
            "subject": subject,
            "kind": kind,
            "sealed": sealed.sealed,
            "blind_index": sealed.index,
            "key_id": sealed.key_id,
            "confirmed_at": confirmed_at,
        }
        saved = upsert(identifiers).values(row)
        session.execute(saved.on_conflict_do_update(index_elements=["subject", "kind"], set_=row))


def is_free(session: Session, vault: Vault, subject: str, kind: str, value: str) -> bool:
    """Whether nobody else has it confirmed. The answer holds until the transaction ends.

    While the key changes one process may write the old index and the next the new one, which no unique index can
    compare; so whoever confirms a value does it alone.
    """
    indexes = vault.indexes(kind, value)
    session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(min(indexes)[:_HASH_BYTES], signed=True))))
    holder = find(session, vault, kind, value)
    return holder is None or holder == subject


def find(session: Session, vault: Vault, kind: str, value: str) -> str | None:
    """The subject of the account that has it confirmed. `value` is normalized."""
    row = identifiers.c
    held = (row.kind == kind, row.blind_index.in_(vault.indexes(kind, value)), row.confirmed_at.is_not(None))
    return session.execute(select(row.subject).where(*held)).scalar()


def find_by_id_number(session: Session, vault: Vault, number: str) -> str | None:
    """The subject of the person with this ID number, if a registry or a clerk has confirmed that it is theirs.

    One that was only said at registration finds nobody: anybody can say it.
    """
    return find(session, vault, ID_NUMBER, number)


def open_particulars(session: Session, vault: Vault, subject: str) -> Particulars:
    """Everything there is of one person, in the clear."""
    rows = session.execute(select(*_OPENED).where(identifiers.c.subject == subject)).all()
    opened = {row.kind: _open(vault, row) for row in rows}
    return Particulars(**opened) if EMAIL in opened else Particulars(**opened, email=_plain_mail(session, subject))


def list_confirmed(session: Session, subject: str) -> dict[str, datetime]:
    """Kind -> since when, of one person; nothing is opened."""
    row = identifiers.c
    confirmed = select(row.kind, row.confirmed_at).where(row.subject == subject, row.confirmed_at.is_not(None))
    return {found.kind: found.confirmed_at for found in session.execute(confirmed)}


def open_of(session: Session, vault: Vault, subjects: Collection[str], kind: str) -> dict[str, str]:
    """Subject -> value of one kind, of those that have one."""
    row = identifiers.c
    rows = session.execute(select(*_OPENED).where(row.kind == kind, row.subject.in_(subjects)))
    opened = {found.subject: value for found in rows if (value := _open(vault, found))}
    return _plain_mails(session, subjects) | opened if kind == EMAIL else opened


def remove(session: Session, subject: str) -> None:
    session.execute(delete(identifiers).where(identifiers.c.subject == subject))
    session.execute(_account_of(subject).values(email=None))


def reseal(
    session: Session, vault: Vault, table: Table, after: tuple[Any, ...] | None, most: int
) -> tuple[int, int, tuple[Any, ...] | None]:
    """Seal some rows that another key has sealed under the present one; locked, so that no change is lost.

    `table` is `identifiers`, or one that holds copies of its rows. `after` is the primary key to go on behind. How many
    were sealed, how many do not open, and where to go on.
    """
    row, key = table.c, tuple(table.primary_key)
    old = select(row.subject, row.kind, row.sealed, row.key_id, *key).where(row.key_id != vault.key_id)
    old = old if after is None else old.where(tuple_(*key) > after)
    rows = session.execute(old.order_by(*key).limit(most).with_for_update()).all()
    opened = [(found, _open(vault, found)) for found in rows]
    for found, value in opened:
        if value is not None:
            sealed = vault.close(found.subject, found.kind, value)
            values = {"sealed": sealed.sealed, "blind_index": sealed.index, "key_id": sealed.key_id}
            this = [column == found._mapping[column] for column in key]
            session.execute(update(table).where(*this).values(values))
    done = sum(value is not None for _, value in opened)
    return done, len(rows) - done, tuple(rows[-1]._mapping[column] for column in key) if rows else None


def seal_plain_mails(session: Session, vault: Vault, most: int) -> int:
    """Take some mail addresses over from where they stood in the clear; how many there were."""
    account = identity_tables.accounts.c
    plain = select(account.subject, account.email).where(account.email.is_not(None)).limit(most)
    rows = session.execute(plain.with_for_update(skip_locked=True)).all()
    for found in rows:
        save(session, vault, found.subject, Particulars(email=found.email))
        session.execute(_account_of(found.subject).values(email=None))
    return len(rows)


def raise_level(session: Session, subject: str, level: int, method: str, by: str | None, now: datetime) -> bool:
    """False, and nothing is written, if the account has that level or a higher one."""
    account = identity_tables.accounts.c
    raised = _account_of(subject).where(account.assurance < level).values(assurance=level)
    if session.execute(raised.returning(account.subject)).first() is None:
        return False
    row = {"subject": subject, "level": level, "method": method, "by": by, "at": now}
    session.execute(insert(assurance_changes).values(row))
    return True


def list_levels(session: Session, subject: str) -> list[Any]:
    """`level`, `method`, `by` and `at` of every rise, the first one first."""
    change = assurance_changes.c
    found = select(change.level, change.method, change.by, change.at).where(change.subject == subject)
    return list(session.execute(found.order_by(change.id)))


_OPENED = (identifiers.c.subject, identifiers.c.kind, identifiers.c.sealed, identifiers.c.key_id)


def _open(vault: Vault, row: Any) -> str | None:
    try:
        return vault.open(row.subject, row.kind, row.sealed, row.key_id)
    except SealedOtherwise:
        # the platform goes on without it, as it does when other things that were sealed are lost
        log.error(  # noqa: TRY400  (a stack would say no more)
            "the %s of an account does not open: it was sealed with another ONEHALL_COOKIE_KEY", row.kind
        )
        return None


def _account_of(subject: str) -> Any:
    return update(identity_tables.accounts).where(identity_tables.accounts.c.subject == subject)


def _plain_mail(session: Session, subject: str) -> str | None:
    return _plain_mails(session, [subject]).get(subject)


def _plain_mails(session: Session, subjects: Collection[str]) -> dict[str, str]:
    """Those of before this table, until `seal_plain_mails` has come to them."""
    account = identity_tables.accounts.c
    plain = select(account.subject, account.email).where(account.subject.in_(subjects), account.email.is_not(None))
    return {row.subject: row.email for row in session.execute(plain)}
