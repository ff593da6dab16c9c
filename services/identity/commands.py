"""What identity does. One function a use case; `now` and randomness of a rule are handed in.

Where a password is hashed there are two transactions with the hashing between them: it takes 40 ms in a real thread
(`offload`), and a connection is not held meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from chassis import outbox
from chassis.database import Database, Session
from contracts.actors import CHANNELS, SYSTEM
from contracts.errors import Fault, InvalidInput, SignInRefused, UsernameTaken
from contracts.events import AccountRegistered
from services.identity import demo, password_rules, passwords, store
from services.identity.assurance import CHECKED
from services.identity.browser_sessions import Browser
from services.identity.codes import store as code_store
from services.identity.device import store as device_store
from services.identity.domain import (
    Account,
    Client,
    DemoDataInProduction,
    normalize_username,
    require_valid_account,
    require_valid_client,
)
from services.identity.factors import second_step
from services.identity.factors import store as factor_store
from services.identity.limits import store as limit_store
from services.identity.oauth import keys, registration_store
from services.identity.oauth.client_keys import ClientKeysInvalid, usable_keys
from services.identity.persons import registration_store as registrations_under_way
from services.identity.persons import store as persons
from services.identity.persons.identifiers import Particulars, spelled
from services.identity.persons.vault import Vault
from services.identity.presence import store as presence_store
from services.identity.recovery import store as recovery_store
from services.identity.sealing import hash_secret, new_secret
from services.identity.security_notices import store as notice_store

Offload = Callable[..., Any]


def register_account(
    database: Database,
    offload: Offload,
    vault: Vault,
    account: Account,
    particulars: Particulars,
    password: str,
    now: datetime,
    *,
    confirm: Callable[[Session, str], None] | None = None,
) -> Account:
    """Raise `UsernameTaken`, or `InvalidInput`. The subject is made here, whatever `account` says.

    What the person says of themselves is kept as said; `confirm`, which is given the subject in the same transaction,
    may confirm what it knows to be true, or raise what keeps the account from being made.
    """
    account = replace(account, subject=str(uuid.uuid4()), username=normalize_username(account.username) or "")
    particulars, faults = spelled(particulars)
    require_valid_account(account, faults)
    own = (account.username, account.name, *(value for _, value in particulars.items()))
    offload(password_rules.require_acceptable, password, own)
    password_hash = offload(passwords.hash_password, password)
    with database.transaction() as session:
        require_own_name(session, account.department, None)
        if not store.add_account(session, account, password_hash, now):
            raise UsernameTaken(account.username)
        persons.save(session, vault, account.subject, particulars)
        if confirm is not None:
            confirm(session, account.subject)
        outbox.add(session, AccountRegistered(account.subject), sequence=1, actor=SYSTEM)
    return account


def sign_in(
    database: Database,
    offload: Offload,
    username: str,
    password: str,
    channel: str,
    now: datetime,
    *,
    request: str | None = None,
    previous: str | None = None,
    browser: str | None = None,
    environment: str | None = "local",
) -> dict[str, Any]:
    """A session, or `pending`: the secret of a sign-in that waits for the second factor (`factors.second_step`).

    Raise `SignInRefused`, after the same time whether the name or the password is wrong.

    `request` is the local URL that the person goes on to; `previous` is the browser's session until now, whose secret
    is worth nothing from here on; `browser` is what the person may know it by again.
    """
    if channel not in CHANNELS:
        raise InvalidInput([Fault(pointer="/channel", rule="enum", value=channel)])
    with database.transaction() as session:
        known = store.get_password_hash(session, normalize_username(username) or "")
    subject, password_hash = known or ("", None)
    if not offload(passwords.is_password, password_hash, password) or password_hash is None:
        raise SignInRefused
    is_outdated = passwords.is_outdated(password_hash)
    stronger_hash = offload(passwords.hash_password, password) if is_outdated else None
    with database.transaction() as session:
        here = Browser(channel, request, previous, browser)
        begun = second_step.begin(session, subject, here, environment, now)
        # whoever takes the password away meanwhile ends the sessions that there are, and would miss this one
        if not store.has_password_hash(session, subject, password_hash):
            raise SignInRefused
        if stronger_hash is not None:
            store.replace_password_hash(session, subject, password_hash, stronger_hash)
        return begun


def add_client(session: Session, client: Client) -> None:
    """Raise `InvalidInput`, also for an id that is taken and for an owner that is of the other kind."""
    require_valid_client(client)
    if client.jwks is not None:
        client = replace(client, jwks=_usable_keys(client.jwks))
    require_own_name(session, client.department, client.organisation)
    if not store.add_client(session, client):
        raise InvalidInput([Fault(pointer="/id", rule="unique", value=client.id)])


def _usable_keys(jwks: dict[str, Any]) -> dict[str, Any]:
    try:
        return usable_keys(jwks)
    except ClientKeysInvalid as invalid:
        raise InvalidInput([Fault(pointer="/jwks", rule="format", value=str(invalid))]) from None


def require_own_name(session: Session, department: str | None, organisation: str | None) -> None:
    """A name is a department's or an organisation's, never both: their queues would be the same."""
    if department is None and organisation is None:
        return
    store.lock_owners(session)
    if department is not None and store.is_organisation(session, department):
        raise InvalidInput([Fault(pointer="/department", rule="not", value=f"organisation {department}")])
    if organisation is not None and store.is_department(session, organisation):
        raise InvalidInput([Fault(pointer="/organisation", rule="not", value=f"department {organisation}")])


def add_registration_token(session: Session, uses: int, until: datetime) -> str:
    """An initial access token (RFC 7591, section 1.2): so many strangers' clients may register by it."""
    secret = new_secret()
    registration_store.add_initial_access_token(session, hash_secret(secret), uses, until)
    return secret


def disable_client(session: Session, client_id: str) -> None:
    """No token from now on, and the broker's connections end. Raise `InvalidInput` for an unknown id."""
    client = _require_client(session, client_id)
    store.set_client_end(session, client_id, is_disabled=True, ends_at=client.ends_at)


def enable_client(session: Session, client_id: str, ends_at: datetime | None, now: datetime) -> None:
    """Tokens again, until `ends_at` if that is given. Raise `InvalidInput`, also for an end that is past already."""
    ends_at = ends_at or _require_client(session, client_id).ends_at
    if ends_at is not None and ends_at <= now:
        raise InvalidInput([Fault(pointer="/until", rule="formatMinimum", value=f"{now:%Y-%m-%d}")])
    store.set_client_end(session, client_id, is_disabled=False, ends_at=ends_at)


def _require_client(session: Session, client_id: str) -> Client:
    client = store.get_client(session, client_id)
    if client is None:
        raise InvalidInput([Fault(pointer="/id", rule="exists", value=client_id)])
    return client


def save_platform_clients(session: Session, notify_secret: str) -> None:
    """The clients that the platform's own services are, in production too. Safe to repeat."""
    store.save_client(session, demo.notify_client(hash_secret(notify_secret)))


def remove_expired(session: Session, now: datetime) -> None:
    store.remove_expired(session, now)
    device_store.remove_expired(session, now)
    factor_store.remove_expired(session, now)
    code_store.remove_expired(session, now)
    limit_store.remove_full(session, now)
    recovery_store.remove_expired(session, now)
    notice_store.remove_expired(session, now)
    presence_store.remove_expired(session, now)
    registrations_under_way.remove_expired(session, now)
    keys.remove_retired(session, now)


def seed_demo(
    database: Database,
    offload: Offload,
    vault: Vault,
    environment: str,
    base_url: str,
    notify_secret: str,
    now: datetime,
) -> None:
    """Make the demo's accounts and clients; those that exist stay, with addresses brought up to date.

    Raise `DemoDataInProduction` everywhere but in a local run.
    """
    if environment != "local":
        raise DemoDataInProduction(environment)
    with database.transaction() as session:
        for client in demo.clients(base_url, hash_secret(demo.CLIENT_SECRET)):
            require_valid_client(client)
            store.save_client(session, client)
        save_platform_clients(session, notify_secret)
        missing = [user for user in demo.ACCOUNTS if store.get_password_hash(session, user.username) is None]
    for account in missing:
        _register_unless_taken(database, offload, vault, account, now)
    with database.transaction() as session:
        for username, particulars in demo.PARTICULARS.items():
            _confirm(session, vault, username, particulars, now)


def _register_unless_taken(database: Database, offload: Offload, vault: Vault, account: Account, now: datetime) -> None:
    try:
        register_account(database, offload, vault, account, demo.PARTICULARS[account.username], demo.PASSWORD, now)
    except UsernameTaken:
        return


def _confirm(session: Session, vault: Vault, username: str, particulars: Particulars, now: datetime) -> None:
    """As if a registry and the person had done it, unless one of them belongs to somebody by now."""
    known = store.get_password_hash(session, username)
    if known is None or len(persons.list_confirmed(session, known[0])) == len(particulars.items()):
        return
    if all(persons.is_free(session, vault, known[0], kind, value) for kind, value in particulars.items()):
        persons.save(session, vault, known[0], particulars, confirmed_at=now)
        persons.raise_level(session, known[0], CHECKED, "demo", None, now)
