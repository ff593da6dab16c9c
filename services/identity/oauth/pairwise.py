"""Pairwise subjects (OpenID Connect Core, section 8.1): what two sectors know of one person cannot be put together."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity import tables
from services.identity.domain import PAIRWISE, Client, is_loopback
from services.identity.sealing import Seal

_SALT = "pairwise-salt"
_SALT_BYTES = 32


class Subjects:
    """The name that each client knows a person by. The salt is a secret of its own, sealed, and never changes.

    Raise `SealedOtherwise` if it cannot be opened: with a new one every person would be a stranger to every client.
    """

    def __init__(self, session: Session, seal: Seal) -> None:
        self._session = session
        self._seal = seal

    def seen_by(self, client: Client, subject: str) -> str:
        if client.subject_type != PAIRWISE:
            return subject
        # section 8.1: "sub = SHA-256 ( sector_identifier || local_account_id || salt )", here keyed with the salt
        return self._digest(f"{sector_of(client)}\0{subject}")

    def session_seen_by(self, client: Client, sid: str) -> str:
        """What a session is called there: by one name two sectors would find each other's people."""
        return sid if client.subject_type != PAIRWISE else self._digest(f"{sector_of(client)}\0session\0{sid}")

    def _digest(self, text: str) -> str:
        digest = hmac.digest(self._salt(), text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _salt(self) -> bytes:
        secret = tables.sealed_secrets
        find = select(secret.c.sealed).where(secret.c.name == _SALT)
        sealed = self._session.execute(find).scalar()
        if sealed is None:
            # of two replicas that need it first at once, one makes it, and both use that
            row = {"name": _SALT, "sealed": self._seal.close(os.urandom(_SALT_BYTES))}
            self._session.execute(upsert(secret).values(row).on_conflict_do_nothing())
            sealed = self._session.execute(find).scalar_one()
        return self._seal.open(bytes(sealed))


def sector_of(client: Client) -> str:
    """What was registered, else the one host of all its addresses (section 8.1), else the client by itself.

    The loopback address and schemes of apps are everybody's, and no sector.
    """
    hosts = {None if is_loopback(uri) else urlsplit(uri).hostname for uri in client.redirect_uris}
    return client.sector or (hosts.pop() if len(hosts) == 1 else None) or client.id
