"""How the level of an account rises: a registry confirms the ID number, or a clerk who has seen the card."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from chassis.database import Database, Session
from contracts import access
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotFound, NotPermitted, TooManyAttempts
from services.identity import store as identity_store
from services.identity.access_log.commands import note_look
from services.identity.access_log.domain import Look
from services.identity.assurance import CHECKED, IN_PERSON
from services.identity.domain import Account, normalize_username
from services.identity.persons import store
from services.identity.persons.claims import tell_holder
from services.identity.persons.identifiers import ID_NUMBER, Particulars, mask, require_spelled
from services.identity.persons.registry import Outcome, Registry
from services.identity.persons.tables import registry_checks
from services.identity.persons.vault import Vault
from services.identity.presence import reading
from services.identity.presence.domain import CLERK, mask_name, require_clerk

REGISTRY, COUNTER = "registry", "counter"

MOST_CHECKS = 5
DAY = timedelta(days=1)
"""Questions to the register about one account: enough for a slip, too few to try numbers or names."""

_COUNTED = (None, Outcome.MATCH, Outcome.NO_MATCH)


def get_assurance(session: Session, vault: Vault, actor: Actor) -> dict[str, Any]:
    """`level`, `id_number` (masked, or None), and how the level has risen: `changes` of `level`, `method`, `at`."""
    account = require_person(session, actor)
    number = store.open_particulars(session, vault, account.subject).id_number
    rises = store.list_levels(session, account.subject)
    return {
        "level": account.assurance,
        "id_number": mask(ID_NUMBER, number) if number else None,
        "changes": [{"level": row.level, "method": row.method, "at": row.at.isoformat()} for row in rises],
    }


def check_registry(
    database: Database, vault: Vault, registry: Registry, actor: Actor, said: str | None, now: datetime
) -> dict[str, Any]:
    """Ask whether the ID number belongs to the name. `{"outcome", "level"}`; a match raises the level to 2.

    `said` is the number, from who has not said one before; a number that is not confirmed may be said anew. A number
    that is confirmed as another's is `no-match`, as it is for the register with another name, and its holder is told.
    Raise `InvalidInput`, or `TooManyAttempts`.
    """
    with database.transaction() as session:
        account = require_person(session, actor)
        number = _number(session, vault, account, said, now)
        check = _count(session, account.subject, now)
    # outside the transaction: it waits for the register
    outcome = registry.check(account.name, number)
    with database.transaction() as session:
        if outcome is Outcome.MATCH and not _confirm(session, vault, account.subject, number, now):
            outcome = Outcome.NO_MATCH
        session.execute(update(registry_checks).where(registry_checks.c.id == check).values(outcome=outcome))
        if outcome is Outcome.MATCH:
            store.raise_level(session, account.subject, CHECKED, REGISTRY, None, now)
        level = _require_account(session, account.subject).assurance
    return {"outcome": str(outcome), "level": level}


def _number(session: Session, vault: Vault, account: Account, said: str | None, now: datetime) -> str:
    known = store.open_particulars(session, vault, account.subject).id_number
    if ID_NUMBER in store.list_confirmed(session, account.subject) and known:
        return known
    if known and not said:
        return known
    number = require_spelled(ID_NUMBER, said)
    store.save(session, vault, account.subject, Particulars(id_number=number))
    return number


def _count(session: Session, subject: str, now: datetime) -> int:
    """The question as a row, before it is asked. What was not answered does not count."""
    identity_store.lock_account(session, subject)
    row = registry_checks.c
    counted = row.outcome.is_(None) | row.outcome.in_([str(outcome) for outcome in _COUNTED if outcome])
    asked = select(func.count(), func.min(row.asked_at)).where(
        row.subject == subject, row.asked_at > now - DAY, counted
    )
    count, oldest = session.execute(asked).one()
    if count >= MOST_CHECKS:
        raise TooManyAttempts(int((oldest + DAY - now).total_seconds()) + 1)
    added = insert(registry_checks).values(subject=subject, asked_at=now).returning(row.id)
    return int(session.execute(added).scalar_one())


def _confirm(session: Session, vault: Vault, subject: str, number: str, now: datetime) -> bool:
    """False if it is confirmed as somebody else's, who is told."""
    if store.is_free(session, vault, subject, ID_NUMBER, number):
        store.save(session, vault, subject, Particulars(id_number=number), confirmed_at=now)
        return True
    holder = store.find(session, vault, ID_NUMBER, number)
    if holder is not None:
        tell_holder(session, holder, now)
    return False


def raise_at_counter(
    database: Database, vault: Vault, actor: Actor, username: str, id_number: str, now: datetime
) -> dict[str, Any]:
    """A clerk has read the card of who stands there and says that `username` is theirs: level 3, and recorded.

    `{"name", "level"}`, the name masked. Raise `NotPermitted` for all but a clerk at the hall, `InvalidInput` also for
    a number that is confirmed as another account's, `NotFound` for an account that is not there, is the clerk's own,
    works here, or has another number confirmed; `TooManyAttempts` after too many of those, counted with the cards that
    the clerk reads: the answers would tell whose a number is.
    """
    require_clerk(actor)
    number = require_spelled(ID_NUMBER, id_number)
    with database.transaction() as session:
        reading.count_unknown(session, actor, now)
        raised = _raise_at_counter(session, vault, actor, username, number, now)
        if isinstance(raised, dict):
            reading.uncount_unknown(session, actor)
    # after the commit, because the count, the look and what a holder is told must stay
    if not isinstance(raised, dict):
        raise raised
    return raised


def _raise_at_counter(
    session: Session, vault: Vault, actor: Actor, username: str, number: str, now: datetime
) -> dict[str, Any] | NotFound | InvalidInput:
    known = identity_store.get_password_hash(session, normalize_username(username) or "")
    account = identity_store.get_account(session, known[0]) if known else None
    if account is None or account.subject == actor.subject or account.roles:
        return NotFound("person")
    look = Look.by(actor, account.subject, access.LOOK_UP, role=CLERK, purpose=access.COUNTER)
    note_look(session, look, now)
    if ID_NUMBER in store.list_confirmed(session, account.subject):
        if store.open_particulars(session, vault, account.subject).id_number != number:
            return NotFound("person")
    elif not _confirm(session, vault, account.subject, number, now):
        return InvalidInput([Fault(pointer="/id_number", rule="unique", value=None)])
    store.raise_level(session, account.subject, IN_PERSON, COUNTER, actor.subject, now)
    return {"name": mask_name(account.name), "level": IN_PERSON}


def require_person(session: Session, actor: Actor) -> Account:
    """The account of whoever calls, for themselves. Raise `NotPermitted` for programs and who acts for somebody."""
    if not actor.subject or actor.subject == actor.client or actor.act is not None:
        raise NotPermitted("use_account")
    return _require_account(session, actor.subject)


def _require_account(session: Session, subject: str) -> Account:
    account = identity_store.get_account(session, subject)
    if account is None:
        raise NotPermitted("use_account")
    return account
