"""The logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.identity.domain import Client
from services.identity.oauth.tokens import Issuer

EVENT = "http://schemas.openid.net/event/backchannel-logout"

# section 2.4: "preferably at most two minutes in the future, to prevent captured Logout Tokens from being replayable"
LIFETIME = timedelta(minutes=2)


def logout_token(issuer: Issuer, client: Client, subject: str, sid: str, jti: str, now: datetime) -> str:
    """That the session `sid` of `subject` has ended, in the client's own names for both.

    "a nonce claim MUST NOT be present", so that no client takes it for an ID token.
    """
    claims = {
        "sub": issuer.subjects.seen_by(client, subject),
        "aud": client.id,
        "jti": jti,
        "events": {EVENT: {}},
        "sid": issuer.subjects.session_seen_by(client, sid),
    }
    return issuer.sign(claims, typ="logout+jwt", now=now, lifetime=LIFETIME, alg=client.id_token_alg)
