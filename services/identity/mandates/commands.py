"""Giving, accepting and ending mandates. One function a use case, each one transaction's work."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chassis import outbox
from chassis.database import Session
from contracts import access
from contracts.actors import SYSTEM, Actor
from contracts.errors import Fault, InvalidInput, NotFound, NotPermitted
from contracts.events import AccountRegistered
from services.identity import store as identity_store
from services.identity.access_log.commands import note_act
from services.identity.access_log.domain import Look
from services.identity.assurance import IN_PERSON
from services.identity.domain import Account, is_text, normalize_username
from services.identity.mandates import domain, store
from services.identity.mandates.domain import Mandate
from services.identity.mandates.queries import view
from services.identity.mandates.store import Named
from services.identity.persons import identifiers
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars
from services.identity.persons.vault import Vault
from services.identity.presence.domain import CLERK, require_clerk

_A_DAY = timedelta(days=1)


def grant(
    session: Session,
    vault: Vault,
    actor: Actor,
    agent: object,
    *,
    item: object,
    number: object,
    until: object,
    now: datetime,
) -> dict[str, Any]:
    """Offer somebody, by ID number, phone number or user name, to act for the caller about one item or one case.

    The answer is the same whether there is such a person or not. Raise `NotPermitted` or `InvalidInput`, the latter
    also for too many.
    """
    principal = domain.require_own(actor)
    named = agent.strip() if isinstance(agent, str) else ""
    if not named or len(named) > domain.MOST_NAMED or not is_text(named):
        raise InvalidInput([Fault(pointer="/agent", rule="required", value=True)])
    its_item, its_number = domain.require_scope(item, number)
    ends_at = domain.end_of(until, now)
    store.lock_account(session, principal)
    _require_not_too_many(session, principal, now)
    subject = _find(session, vault, named)
    if subject == principal:
        raise InvalidInput([Fault(pointer="/agent", rule="not", value="yourself")])
    mandate = Mandate(
        id=str(uuid.uuid4()),
        kind=domain.AUTHORISATION,
        principal=principal,
        agent=subject,
        named=_masked(named),
        item=its_item,
        number=its_number,
        created_at=now,
        ends_at=ends_at,
    )
    store.add(session, mandate)
    account = identity_store.get_account(session, principal)
    return view(Named(mandate, account.name if account else "", None), principal, now)


def accept(session: Session, actor: Actor, mandate_id: object, now: datetime) -> None:
    """By the one to whom it was offered. Raise `NotFound` for all else."""
    mandate = _require(session, actor, mandate_id)
    if mandate.agent != actor.subject:
        raise NotFound("mandate")
    if mandate.is_live(now):
        return
    if not mandate.is_offered(now):
        raise NotFound("mandate")
    store.accept(session, mandate.id, now)


def end(session: Session, actor: Actor, mandate_id: object, now: datetime) -> None:
    """By either side, at once, whether it was accepted or not. A ward does not end a guardianship."""
    mandate = _require(session, actor, mandate_id)
    by = "agent" if mandate.agent == actor.subject else "principal"
    if mandate.kind == domain.GUARDIANSHIP and by == "principal":
        raise NotPermitted("end_guardianship")
    if mandate.ended_at is None:
        store.end(session, mandate.id, by, now)


@dataclass(frozen=True, slots=True)
class Guardianship:
    """What a clerk has seen: the papers of both, and why one acts for the other. `until` is for grown-ups."""

    ward_id_number: object
    ward_name: object
    guardian_id_number: object
    until: object = None


def confirm_guardianship(
    session: Session, vault: Vault, actor: Actor, seen: Guardianship, now: datetime
) -> dict[str, Any]:
    """A clerk at the hall confirms it. A ward without an account gets one that nobody signs in to.

    That of a child ends when it comes of age. Raise `NotPermitted`, `InvalidInput`, or `NotFound` for a guardian who
    is not known by a confirmed ID number, or is the clerk.
    """
    require_clerk(actor)
    ward_number, guardian_number, name = _checked(seen)
    guardian = persons.find_by_id_number(session, vault, guardian_number)
    if guardian is None or guardian == actor.subject:
        raise NotFound("person")
    if domain.majority(identifiers.birth_date(guardian_number)) > now:
        raise InvalidInput([Fault(pointer="/guardian_id_number", rule="minimumAge", value=domain.MAJORITY)])
    ends_at = _end_of(ward_number, seen.until, now)
    ward = _find_or_open(session, vault, ward_number, name, now)
    if ward == actor.subject:
        raise NotFound("person")
    store.lock_account(session, ward)
    store.end_guardianships(session, ward, guardian, "renewed", now)
    mandate = Mandate(
        id=str(uuid.uuid4()),
        kind=domain.GUARDIANSHIP,
        principal=ward,
        agent=guardian,
        named=None,
        item=None,
        number=None,
        created_at=now,
        ends_at=ends_at,
        accepted_at=now,
        confirmed_by=actor.subject,
    )
    store.add(session, mandate)
    note_act(session, Look.by(actor, ward, access.MANDATE, role=CLERK, purpose=access.COUNTER), now)
    return {"id": mandate.id, "ends_at": mandate.ends_at.isoformat()}


def _require_not_too_many(session: Session, principal: str, now: datetime) -> None:
    if store.count_open(session, principal, now) >= domain.MOST_OPEN:
        raise InvalidInput([Fault(pointer="/agent", rule="maxItems", value=domain.MOST_OPEN)])
    if store.count_since(session, principal, now - _A_DAY) >= domain.MOST_A_DAY:
        raise InvalidInput([Fault(pointer="/agent", rule="maxADay", value=domain.MOST_A_DAY)])


def _find(session: Session, vault: Vault, named: str) -> str | None:
    """By what was typed; which way is tried depends on that alone, not on who is there."""
    for kind in (identifiers.ID_NUMBER, identifiers.PHONE):
        value = identifiers.normalize(kind, named)
        if value is not None:
            return persons.find(session, vault, kind, value)
    known = identity_store.get_password_hash(session, normalize_username(named) or "")
    return known[0] if known else None


def _masked(named: str) -> str:
    for kind in (identifiers.ID_NUMBER, identifiers.PHONE):
        value = identifiers.normalize(kind, named)
        if value is not None:
            return identifiers.mask(kind, value)
    return named[:2] + "***"


def _require(session: Session, actor: Actor, mandate_id: object) -> Mandate:
    """One of the caller's, locked. Raise `NotFound`."""
    subject = domain.require_own(actor)
    mandate = store.load(session, mandate_id, lock=True)
    if mandate is None or subject not in (mandate.principal, mandate.agent):
        raise NotFound("mandate")
    return mandate


def _checked(seen: Guardianship) -> tuple[str, str, str | None]:
    """Both numbers as they are kept, and the ward's name."""
    given = {"/ward_id_number": seen.ward_id_number, "/guardian_id_number": seen.guardian_id_number}
    numbers = {
        pointer: identifiers.normalize(identifiers.ID_NUMBER, value) if isinstance(value, str) else None
        for pointer, value in given.items()
    }
    faults = [
        Fault(pointer=pointer, rule="format", value=identifiers.ID_NUMBER)
        for pointer, number in numbers.items()
        if number is None
    ]
    ward, guardian = numbers.values()
    name = seen.ward_name.strip() if isinstance(seen.ward_name, str) else None
    if name is not None and not (0 < len(name) <= 100 and is_text(name)):
        faults.append(Fault(pointer="/ward_name", rule="maxLength", value=100))
    if ward is not None and ward == guardian:
        faults.append(Fault(pointer="/guardian_id_number", rule="not", value="the ward"))
    if faults or ward is None or guardian is None:
        raise InvalidInput(faults)
    return ward, guardian, name


def _end_of(ward_number: str, until: object, now: datetime) -> datetime:
    of_age = domain.majority(identifiers.birth_date(ward_number))
    if of_age <= now:
        return domain.end_of(until, now)
    return of_age if until is None else min(of_age, domain.end_of(until, now))


def _find_or_open(session: Session, vault: Vault, number: str, name: str | None, now: datetime) -> str:
    """The ward's account; a new one has no password, so nobody signs in to it."""
    known = persons.find_by_id_number(session, vault, number)
    if known is not None:
        return known
    if name is None:
        raise InvalidInput([Fault(pointer="/ward_name", rule="required", value=True)])
    account = Account(
        subject=str(uuid.uuid4()), username=f"ward-{uuid.uuid4().hex[:16]}", name=name, assurance=IN_PERSON
    )
    if not persons.is_free(session, vault, account.subject, identifiers.ID_NUMBER, number):
        # another counter opened it in this moment
        return persons.find_by_id_number(session, vault, number) or account.subject
    identity_store.add_account(session, account, None, now)
    persons.save(session, vault, account.subject, Particulars(id_number=number), confirmed_at=now)
    outbox.add(session, AccountRegistered(account.subject), sequence=1, actor=SYSTEM)
    return account.subject
