"""The gateway's sessions: tokens that it has got for a browser, kept here, sealed, and renewed in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.database import Session
from contracts.errors import SessionEnded
from services.identity import store
from services.identity.oauth import refreshing
from services.identity.oauth import store as oauth_store
from services.identity.oauth.tokens import Grantee, Issuer, family_of, issue_tokens
from services.identity.sealing import Seal, SealedOtherwise, hash_secret, new_secret

_RENEW_BEFORE = timedelta(seconds=60)
"""A token that is handed out is good for at least this long."""


@dataclass(frozen=True, slots=True)
class WebSessions:
    """What the gateway's sessions need: the seal of their tokens, and who issues and reads them, loaded when needed."""

    load_issuer: Callable[[], Issuer]
    seal: Seal


def save_web_session(
    session: Session,
    web_sessions: WebSessions,
    client_id: str,
    tokens: dict[str, Any],
    now: datetime,
    previous: str | None = None,
) -> str:
    """Keep a token response for the gateway. Raise `SessionEnded` if it is not a person's, from here, for this client.

    Returns the session's secret. `previous` is the one that the browser had until now, which ends.
    """
    claims = web_sessions.load_issuer().read_access_token(str(tokens.get("access_token")), now)
    family_id = family_of(claims) if claims else None
    if claims is None or family_id is None or claims["client_id"] != client_id:
        raise SessionEnded
    family = oauth_store.get_family(session, family_id)
    if family is None or family.revoked_at is not None:
        raise SessionEnded
    if previous is not None:
        end_web_session(session, previous, now)
    secret = new_secret()
    row = {
        "secret_hash": hash_secret(secret),
        "client_id": client_id,
        "subject": claims["sub"],
        "family_id": family_id,
        "tokens": _seal_tokens(web_sessions.seal, tokens),
        "access_token_expires_at": datetime.fromtimestamp(claims["exp"], UTC),
        "created_at": now,
        "seen_at": now,
        "sid": family.sid,
    }
    store.add_web_session(session, row)
    return secret


def use_web_session(session: Session, web_sessions: WebSessions, secret: str, now: datetime) -> dict[str, Any] | None:
    """The session with an access token that is good for a while yet.

    None if it has ended. The caller must commit then too: a stolen refresh token may have been found out.
    """
    secret_hash = hash_secret(secret)
    row = store.use_web_session(session, secret_hash, now)
    if row is not None and row.access_token_expires_at - now < _RENEW_BEFORE:
        row = _renew(session, web_sessions, secret_hash, now)
    tokens = _open_tokens(web_sessions.seal, row.tokens) if row is not None else {}
    if row is None or not tokens:
        return None
    return {
        "client": row.client_id,
        "access_token": tokens["access_token"],
        "expires_at": row.access_token_expires_at.isoformat(),
        "subject": row.subject,
        "name": row.name,
        "locale": row.locale,
        "roles": list(row.roles),
        "department": row.department,
    }


def _renew(session: Session, web_sessions: WebSessions, secret_hash: str, now: datetime) -> Any | None:
    """Two pages may find the token old at once: the second waits for the lock, and finds it new."""
    row = store.use_web_session(session, secret_hash, now, lock=True)
    if row is None or row.access_token_expires_at - now >= _RENEW_BEFORE:
        return row
    refresh_token = _open_tokens(web_sessions.seal, row.tokens).get("refresh_token")
    tokens = _refresh(session, web_sessions.load_issuer(), row.client_id, refresh_token, now) if refresh_token else None
    if tokens is None:
        store.remove_web_session(session, secret_hash)
        return None
    expires_at = now + timedelta(seconds=tokens["expires_in"])
    store.renew_web_session(session, secret_hash, _seal_tokens(web_sessions.seal, tokens), expires_at)
    return store.use_web_session(session, secret_hash, now)


def _refresh(
    session: Session, issuer: Issuer, client_id: str, refresh_token: str, now: datetime
) -> dict[str, Any] | None:
    """As the refresh token grant does it, for a client that is ourselves."""
    claimed = refreshing.claim(session, refresh_token, client_id, None, now)
    client = store.get_client(session, client_id)
    account = store.get_account(session, claimed.family.subject) if claimed else None
    if claimed is None or client is None or not client.is_live(now) or account is None:
        return None
    grantee = Grantee(account, claimed.family, claimed=claimed)
    return issue_tokens(session, issuer, client, grantee, claimed.family.scope, now)


def _seal_tokens(seal: Seal, tokens: dict[str, Any]) -> bytes:
    kept = {name: tokens[name] for name in ("access_token", "refresh_token") if name in tokens}
    return seal.close(json.dumps(kept).encode())


def _open_tokens(seal: Seal, sealed: bytes) -> dict[str, str]:
    """Empty if the key has changed: the session is then as good as ended."""
    try:
        tokens: dict[str, str] = json.loads(seal.open(bytes(sealed)))
    except SealedOtherwise:
        return {}
    return tokens


def end_web_session(session: Session, secret: str, now: datetime) -> None:
    """Its tokens end with it."""
    family_id = store.remove_web_session(session, hash_secret(secret))
    if family_id is not None:
        oauth_store.revoke_family(session, family_id, now)
