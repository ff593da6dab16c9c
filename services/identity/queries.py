"""What identity is asked, shaped for the caller."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis.database import Session
from contracts import access
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotPermitted, SessionEnded
from services.identity import store
from services.identity.access_log.commands import A_DAY, note_looks
from services.identity.access_log.domain import Look
from services.identity.domain import Client, is_text
from services.identity.oauth.presented import find_live
from services.identity.oauth.server import Provider
from services.identity.persons import store as persons
from services.identity.persons.identifiers import EMAIL
from services.identity.persons.vault import Vault
from services.identity.sealing import hash_secret

_MAX_CONTACTS = 500


def get_session(session: Session, secret: str, now: datetime) -> dict[str, Any]:
    """Raise `SessionEnded`."""
    signed_in = store.use_browser_session(session, hash_secret(secret), now)
    if signed_in is None:
        raise SessionEnded
    account = signed_in.account
    return {
        "subject": account.subject,
        "username": account.username,
        "name": account.name,
        "auth_time": signed_in.signed_in_at.isoformat(),
    }


def get_subject(provider: Provider, access_token: str) -> str:
    """The account's subject. Raise `SessionEnded`."""
    live = find_live(provider, access_token)
    if live is None:
        raise SessionEnded
    return live.subject


def list_subscribers(session: Session) -> list[Client]:
    """Every program that may read subscriptions, live or not."""
    return [client for client in store.list_owned_clients(session) if client.may_hear_events]


def get_contacts(
    session: Session, vault: Vault, actor: Actor, subjects: list[str], now: datetime
) -> dict[str, dict[str, str]]:
    """Subject -> address, language and name; who is unknown is left out.

    Raise `NotPermitted` for all but a program with the scope that signed in as itself: it opens everybody's data, so a
    person who has it in a token, however it came there, has it not of right. In each account's access log it is one
    entry a day: the platform sends what concerns the account.
    """
    if not actor.has_scope("contacts") or actor.subject != actor.client:
        raise NotPermitted("get_contacts")
    if len(subjects) > _MAX_CONTACTS:
        raise InvalidInput([Fault(pointer="/subjects", rule="maxItems", value=_MAX_CONTACTS)])
    rows = store.list_contacts(session, [subject for subject in subjects if is_text(subject)])
    looks = [Look.by(actor, row.subject, access.CONTACT, role=access.PROGRAM, purpose=access.DELIVERY) for row in rows]
    note_looks(session, looks, now, window=A_DAY)
    mails = persons.open_of(session, vault, [row.subject for row in rows], EMAIL)
    return {row.subject: {"email": mails.get(row.subject, ""), "locale": row.locale, "name": row.name} for row in rows}
