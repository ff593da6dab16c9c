"""Registering by oneself: first phone and mail are proved, then the rest is said, and the account is there.

What is asked at each step, and how long it takes, is the same whether an address has an account or not. That it has
one is told at that address only. Names that are taken are told at the last step, to whoever has proved two addresses.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chassis.database import Database, Session
from contracts.errors import Fault, InvalidInput, NotFound
from services.identity import commands
from services.identity.codes.commands import check_code, issue_code
from services.identity.codes.domain import WAY_OF, Recipient
from services.identity.codes.secrecy import CodeKeys
from services.identity.domain import LOCALES, Account, is_text
from services.identity.persons import registration_store, store
from services.identity.persons.claims import tell_holder
from services.identity.persons.identifiers import EMAIL, ID_NUMBER, PHONE, Particulars, spelled
from services.identity.persons.registration_store import Registration
from services.identity.persons.vault import Vault
from services.identity.sealing import Seal, hash_secret, new_secret

LIFETIME = timedelta(minutes=30)
PURPOSE = "registration"
PROVED_BY_CODE = (EMAIL, PHONE)
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Secrets:
    """What registrations are sealed with, and what their codes and identifiers are."""

    seal: Seal
    codes: CodeKeys
    vault: Vault


def begin_registration(session: Session, secrets: Secrets, email: str, phone: str, locale: str, now: datetime) -> str:
    """The registration's secret; a code is on its way to each address, unless it is somebody's.

    Raise `InvalidInput`, or `TooManyAttempts` for an address that was sent too many, whoever asked for them.
    """
    addresses, faults = spelled(Particulars(email=email, phone=phone))
    faults = [*_missing({EMAIL: email, PHONE: phone}), *faults]
    if locale not in LOCALES:
        faults.append(Fault(pointer="/locale", rule="enum", value=list(LOCALES)))
    if faults:
        raise InvalidInput(faults)
    challenges = {kind: _send_code(session, secrets, kind, value, locale, now) for kind, value in addresses.items()}
    secret = new_secret()
    sealed = secrets.seal.close(json.dumps(dict(addresses.items())).encode())
    registration = Registration(hash_secret(secret), sealed, locale, challenges, (), now + LIFETIME)
    registration_store.add(session, registration)
    return secret


def _missing(said: dict[str, str]) -> list[Fault]:
    return [Fault(pointer=f"/{kind}", rule="required", value=None) for kind, value in said.items() if not value]


def _send_code(session: Session, secrets: Secrets, kind: str, value: str, locale: str, now: datetime) -> str:
    holder = store.find(session, secrets.vault, kind, value)
    if holder is not None:
        tell_holder(session, holder, now)
    # counted apart, so that nobody uses up the codes of the one whose it is
    recipient = Recipient(value, WAY_OF[kind], locale=locale) if holder is None else Recipient(f"{PURPOSE}:{value}")
    return issue_code(session, secrets.codes, recipient, f"{PURPOSE}-{kind}", now)


def send_codes_again(session: Session, secrets: Secrets, secret: str, now: datetime) -> None:
    """To the addresses that are not proved yet. Raise `NotFound`, or `TooManyAttempts`."""
    registration = _require(session, secret, now)
    challenges = registration.challenges | {
        kind: _send_code(session, secrets, kind, value, registration.locale, now)
        for kind, value in _addresses(secrets, registration).items()
        if kind not in registration.proved
    }
    registration_store.save(session, replace(registration, challenges=challenges))


def prove_addresses(session: Session, secrets: Secrets, secret: str, codes: dict[str, str], now: datetime) -> list[str]:
    """Check the codes that were typed (kind -> code); the kinds that are proved by now.

    Raise `NotFound`. The caller must commit also when nothing is proved: guesses count.
    """
    registration = _require(session, secret, now)
    proved = set(registration.proved)
    for kind in PROVED_BY_CODE:
        challenge, code = registration.challenges[kind], codes.get(kind)
        if (
            kind not in proved
            and code
            and check_code(session, secrets.codes, challenge, f"{PURPOSE}-{kind}", code, now)
        ):
            proved.add(kind)
    registration_store.save(session, replace(registration, proved=tuple(sorted(proved))))
    return sorted(proved)


def finish_registration(
    database: Database,
    offload: Callable[..., Any],
    secrets: Secrets,
    secret: str,
    said: dict[str, str],
    now: datetime,
) -> Account:
    """The account, with phone and mail confirmed and the ID number as said: it is confirmed by a registry or a clerk.

    `said` is `username`, `password`, `name`, `id_number`. Raise `NotFound` unless both addresses are proved,
    `UsernameTaken`, or `InvalidInput`, also for an address that somebody has confirmed meanwhile.
    """
    with database.transaction() as session:
        registration = _require(session, secret, now)
    if set(registration.proved) != set(PROVED_BY_CODE):
        raise NotFound("registration")
    _require_said(said)
    addresses = _addresses(secrets, registration)
    account = Account("", said["username"], said["name"].strip(), locale=registration.locale)
    particulars = replace(addresses, id_number=said["id_number"])

    def confirm(session: Session, subject: str) -> None:
        if not registration_store.take(session, registration.secret_hash):
            # of two that finish at once one gets nothing
            raise NotFound("registration")
        for kind, value in addresses.items():
            if not store.is_free(session, secrets.vault, subject, kind, value):
                raise InvalidInput([Fault(pointer=f"/{kind}", rule="unique", value=None)])
        store.save(session, secrets.vault, subject, addresses, confirmed_at=now)

    return commands.register_account(
        database, offload, secrets.vault, account, particulars, said["password"], now, confirm=confirm
    )


def _require_said(said: dict[str, str]) -> None:
    faults = _missing({name: said.get(name, "").strip() for name in ("name", ID_NUMBER, "username")})
    name = said.get("name", "").strip()
    if name and not (len(name) <= MAX_NAME and is_text(name)):
        faults.append(Fault(pointer="/name", rule="characters", value="text"))
    faults += spelled(Particulars(id_number=said.get(ID_NUMBER)))[1]
    if faults:
        raise InvalidInput(faults)


def _addresses(secrets: Secrets, registration: Registration) -> Particulars:
    return Particulars(**json.loads(secrets.seal.open(bytes(registration.addresses))))


def _require(session: Session, secret: str, now: datetime) -> Registration:
    found = registration_store.lock(session, hash_secret(secret), now)
    if found is None:
        raise NotFound("registration")
    return found
