"""Refresh tokens: each is used once and gives its successor, and a family has one live token at any time.

An answer may be lost on its way. So for a few seconds (`REFRESH_GRACE`) a spent token gives the same successor again,
unless that has been used: then one of the two who hold the family's tokens is not its owner (docs/adr/0014).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.database import Session
from chassis.sealing import Seal
from services.identity.domain import REFRESH_GRACE, Client, TokenFamily, refresh_token_expiry
from services.identity.oauth import store
from services.identity.sealing import hash_secret, new_secret


@dataclass(frozen=True, slots=True)
class Claimed:
    """A refresh token that may be used. `successor` is what it gave already, in an answer that may have been lost."""

    secret: str
    family: TokenFamily
    successor: str | None = None


def claim(session: Session, secret: str, client_id: str, jkt: str | None, now: datetime) -> Claimed | None:
    """The family stays locked until the transaction ends. The caller must commit, also when it gets nothing.

    A token that was spent before is in two hands, and nobody can tell which is the thief's: the family ends
    (RFC 9700, section 4.14.2). `jkt` is the thumbprint of the key that the caller has proved.
    """
    token_hash = hash_secret(secret)
    family = store.lock_family_of_refresh_token(session, token_hash)
    if family is None or family.client_id != client_id or family.revoked_at is not None:
        return None
    # without the key it is no use of the token, and cannot end the family of whom it was stolen from
    if family.dpop_jkt is not None and family.dpop_jkt != jkt:
        return None
    token = store.get_refresh_token(session, token_hash)
    if token.spent_at is None:
        return Claimed(secret, family) if now < token.expires_at else None
    successor = _unused_successor(session, secret, token, now)
    if successor is None:
        store.revoke_family(session, family.id, now)
        return None
    return Claimed(secret, family, successor)


def _unused_successor(session: Session, secret: str, token: store.RefreshToken, now: datetime) -> str | None:
    if token.spent_at is None or token.successor is None or now - token.spent_at > REFRESH_GRACE:
        return None
    successor = _seal(secret).open(token.successor).decode()
    return successor if store.get_refresh_token(session, hash_secret(successor)).spent_at is None else None


@dataclass(frozen=True, slots=True)
class Unused:
    family: TokenFamily
    expires_at: datetime


def find_unused(session: Session, secret: str, now: datetime) -> Unused | None:
    """A refresh token that could be used now; looking at it changes nothing."""
    token_hash = hash_secret(secret)
    family = store.lock_family_of_refresh_token(session, token_hash)
    if family is None or family.revoked_at is not None:
        return None
    token = store.get_refresh_token(session, token_hash)
    return Unused(family, token.expires_at) if token.spent_at is None and now < token.expires_at else None


def begin(session: Session, client: Client, family: TokenFamily, now: datetime) -> str:
    """The first refresh token of a family."""
    secret = new_secret()
    store.add_refresh_token(session, hash_secret(secret), family.id, refresh_token_expiry(client, family, now))
    return secret


def succeed(session: Session, client: Client, claimed: Claimed, now: datetime) -> str:
    """The next refresh token after `claimed`, which is spent."""
    if claimed.successor is not None:
        return claimed.successor
    successor = begin(session, client, claimed.family, now)
    sealed = _seal(claimed.secret).close(successor.encode())
    store.spend_refresh_token(session, hash_secret(claimed.secret), sealed, now)
    return successor


def _seal(secret: str) -> Seal:
    """Only who shows the spent token, of which the database has a hash, can read what followed it."""
    return Seal(secret, "onehall.identity.refresh-successor")
