"""Loading and saving initial access tokens, and clients that change or end their own registration."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from chassis.database import Session
from services.identity import store, tables
from services.identity.domain import Client


def add_initial_access_token(session: Session, token_hash: str, uses: int, expires_at: datetime) -> None:
    row = {"token_hash": token_hash, "uses_left": uses, "expires_at": expires_at}
    session.execute(insert(tables.initial_access_tokens).values(row))


def lock_initial_access_token(session: Session, token_hash: str, now: datetime) -> bool:
    """Whether it is good for one more client. Locked: of two at once with its last use, the second gets False."""
    token = tables.initial_access_tokens.c
    is_good = (token.token_hash == token_hash, token.uses_left > 0, token.expires_at > now)
    return session.execute(select(token.token_hash).where(*is_good).with_for_update()).first() is not None


def spend_initial_access_token(session: Session, token_hash: str) -> None:
    token = tables.initial_access_tokens
    session.execute(update(token).where(token.c.token_hash == token_hash).values(uses_left=token.c.uses_left - 1))


def lock_client(session: Session, client_id: str) -> Client | None:
    """Of two changes with one registration access token, the second finds another."""
    client = tables.clients.c.id
    session.execute(select(client).where(client == client_id).with_for_update())
    return store.get_client(session, client_id)


def end_grants(session: Session, client_id: str, now: datetime) -> None:
    """What people gave the client: codes, tokens, their consent."""
    for table in (tables.pushed_requests, tables.authorization_codes, tables.consents):
        session.execute(delete(table).where(table.c.client_id == client_id))
    family = tables.token_families
    session.execute(
        update(family).where(family.c.client_id == client_id, family.c.revoked_at.is_(None)).values(revoked_at=now)
    )
