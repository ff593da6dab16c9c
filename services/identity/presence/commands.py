"""How a clerk gets a proof that somebody stands before them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from contracts import access
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotFound
from services.identity import store as identity_store
from services.identity.access_log.commands import note_look
from services.identity.access_log.domain import Look
from services.identity.codes.commands import check_code, issue_code
from services.identity.codes.domain import SMS, Recipient
from services.identity.codes.secrecy import CodeKeys
from services.identity.persons import identifiers
from services.identity.persons import store as persons
from services.identity.persons.vault import Vault
from services.identity.presence import reading, store
from services.identity.presence.domain import (
    CLERK,
    CODE,
    ID_NUMBER,
    LIFETIME,
    Presence,
    mask_name,
    require_clerk,
)
from services.identity.sealing import hash_secret, new_secret


def prove_by_id_number(
    database: Database, vault: Vault, actor: Actor, id_number: object, now: datetime
) -> dict[str, Any]:
    """`{"presence_token", "expires_in", "name"}` for the holder of the card that was read; the name is masked.

    Raise `NotPermitted` for all but a clerk at the hall, `InvalidInput`, or `NotFound` if nobody has confirmed that
    number, and for the clerk's own: nobody serves themselves. `TooManyAttempts` after too many that nobody has.
    """
    require_clerk(actor)
    number = identifiers.normalize(identifiers.ID_NUMBER, id_number) if isinstance(id_number, str) else None
    if number is None:
        raise InvalidInput([Fault(pointer="/id_number", rule="format", value=identifiers.ID_NUMBER)])
    with database.transaction() as session:
        reading.count_unknown(session, actor, now)
        subject = persons.find_by_id_number(session, vault, number)
        proved = _prove(session, actor, subject, ID_NUMBER, now) if subject else None
        if proved is not None:
            reading.uncount_unknown(session, actor)
    # after the commit, because the count must stay
    if proved is None:
        raise NotFound("person")
    return proved


def send_code(
    session: Session, vault: Vault, keys: CodeKeys, actor: Actor, phone: object, now: datetime
) -> dict[str, Any]:
    """`{"challenge"}`, which the code answers that goes to the phone, if it is a confirmed one of somebody else.

    For nobody's number it is the same. Raise `NotPermitted`, `InvalidInput`, `TooManyAttempts`.
    """
    require_clerk(actor)
    number = identifiers.normalize(identifiers.PHONE, phone) if isinstance(phone, str) else None
    if number is None:
        raise InvalidInput([Fault(pointer="/phone", rule="format", value=identifiers.PHONE)])
    subject = persons.find(session, vault, identifiers.PHONE, number)
    account = identity_store.get_account(session, subject) if subject and subject != actor.subject else None
    recipient = Recipient(number, SMS, account.subject, account.locale) if account else Recipient(number)
    return {"challenge": issue_code(session, keys, recipient, _purpose(actor), now)}


def prove_by_code(
    database: Database, keys: CodeKeys, actor: Actor, challenge: object, code: object, now: datetime
) -> dict[str, Any]:
    """As `prove_by_id_number`, by what the citizen read out from their phone to the clerk who had it sent."""
    require_clerk(actor)
    given = isinstance(challenge, str) and isinstance(code, str)
    with database.transaction() as session:
        read = check_code(session, keys, str(challenge), _purpose(actor), str(code), now) if given else None
        proved = _prove(session, actor, read.subject, CODE, now) if read and read.subject else None
    # after the commit, because the guess counts
    if proved is None:
        raise InvalidInput([Fault(pointer="/code", rule="wrong", value=None)])
    return proved


def _purpose(actor: Actor) -> str:
    """A code is good for the clerk who had it sent, and for nobody else."""
    return f"presence:{actor.subject}"


def _prove(session: Session, actor: Actor, subject: str, way: str, now: datetime) -> dict[str, Any] | None:
    account = identity_store.get_account(session, subject)
    if account is None or subject == actor.subject:
        return None
    # also when nothing comes of it: their name and their number were read
    look = Look.by(actor, subject, access.LOOK_UP, role=CLERK, purpose=access.COUNTER)
    note_look(session, look, now)
    secret = new_secret()
    store.add(session, Presence(hash_secret(secret), subject, actor.subject, way, now, now + LIFETIME))
    return {
        "presence_token": secret,
        "expires_in": int(LIFETIME.total_seconds()),
        "name": mask_name(account.name),
    }
