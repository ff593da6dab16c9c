"""What tokens say, and how they are issued, renewed and read.

Access tokens are JWTs by RFC 9068, so that the gateway verifies them alone. Refresh tokens are opaque.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import JoseError

from chassis.database import Session
from contracts import topology
from services.identity.domain import (
    ACCESS_TOKEN_LIFETIME,
    REFRESH_TOKEN,
    Account,
    Client,
    TokenFamily,
    refresh_token_expiry,
)
from services.identity.oauth import store
from services.identity.oauth.claims import values_of
from services.identity.oauth.claims_request import ClaimsRequest
from services.identity.oauth.keys import ALGORITHM, SigningKeys
from services.identity.sealing import hash_secret, new_secret

AUDIENCE = "urn:onehall:api"
BROKER_AUDIENCE = "rabbitmq"
"""What the broker's OAuth 2 plugin knows itself by: the prefix of its scopes, so it can be no URI."""

ASSURANCE = "1"
"""Level of the account's identity: self-declared."""


@dataclass(frozen=True, slots=True)
class Grantee:
    """The person whom tokens are issued for, and the family that they belong to."""

    account: Account
    family: TokenFamily
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class BrokerResource:
    """The broker as a resource: the virtual host that the platform uses, and how long a token opens it."""

    vhost: str = "/"
    lifetime: timedelta = ACCESS_TOKEN_LIFETIME

    def scope(self, owner: str) -> str:
        """Reading the owner's queues: `rabbitmq.read:%2F/dept.<owner>.*`, in RabbitMQ's own words."""
        prefix = topology.subscription_queue(owner, "").name
        return f"{BROKER_AUDIENCE}.read:{quote(self.vhost, safe='')}/{prefix}*"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs and reads JWTs in the name of `url`."""

    url: str
    keys: SigningKeys
    broker: BrokerResource = BrokerResource()

    def sign(
        self, claims: dict[str, Any], *, typ: str, now: datetime, lifetime: timedelta = ACCESS_TOKEN_LIFETIME
    ) -> str:
        header = {"alg": ALGORITHM, "kid": self.keys.current.kid, "typ": typ}
        iat = int(now.timestamp())
        times = {"iat": iat, "exp": iat + int(lifetime.total_seconds())}
        return jwt.encode(header, {"iss": self.url, **times, **claims}, self.keys.current, [ALGORITHM])

    def read_access_token(self, text: str, now: datetime) -> dict[str, Any] | None:
        """The claims, if the token is ours and not expired. Whether it was revoked is another question."""
        try:
            token = jwt.decode(text, self.keys.verifying, [ALGORITHM])
        except (JoseError, ValueError, TypeError):
            # TypeError: joserfc takes it for granted that `crit` is a list
            return None
        claims = token.claims
        # RFC 9068, section 4: "MUST verify that the typ header value is at+jwt", against ID tokens used here
        is_ours = token.header.get("typ") == "at+jwt" and claims.get("iss") == self.url
        return claims if is_ours and claims["exp"] > now.timestamp() else None


def issue_tokens(
    session: Session, issuer: Issuer, client: Client, grantee: Grantee, scope: str, now: datetime
) -> dict[str, Any]:
    """A token response (RFC 6749, section 5.1) with a refresh token if `offline_access` was granted."""
    tokens = _token_response(issuer.sign(_personal_claims(client, grantee, scope), typ="at+jwt", now=now), scope)
    family = grantee.family
    if "offline_access" in family.scope.split() and REFRESH_TOKEN in client.grants:
        tokens["refresh_token"] = new_secret()
        expires_at = refresh_token_expiry(family, now)
        store.add_refresh_token(session, hash_secret(tokens["refresh_token"]), family.id, expires_at)
    return tokens


def issue_client_token(issuer: Issuer, client: Client, scope: str, now: datetime) -> dict[str, Any]:
    """RFC 9068, section 2.2: without a resource owner, `sub` is the client. No refresh token (RFC 6749, 4.4.3)."""
    claims = _access_claims(client, scope) | {
        "sub": client.id,
        "roles": [],
        "department": client.department,
        "jti": new_secret(),
    }
    if client.organisation is not None:
        claims["organisation"] = client.organisation
    return _token_response(issuer.sign(claims, typ="at+jwt", now=now), scope)


def issue_broker_token(issuer: Issuer, client: Client, now: datetime) -> dict[str, Any]:
    """Opens the owner's queues at the broker, and nothing of the API: it has another audience and other scopes."""
    assert client.owner is not None  # noqa: S101  the grant has looked (`Client.may_hear_events`)
    scope, lifetime = issuer.broker.scope(client.owner), issuer.broker.lifetime
    claims = {"sub": client.id, "aud": BROKER_AUDIENCE, "client_id": client.id, "scope": scope, "jti": new_secret()}
    return _token_response(issuer.sign(claims, typ="at+jwt", now=now, lifetime=lifetime), scope, lifetime)


def id_token(issuer: Issuer, client: Client, grantee: Grantee, access_token: str, now: datetime) -> str:
    """OpenID Connect Core, section 2. `auth_time` is when the person signed in, also after a refresh (12.2)."""
    asked = ClaimsRequest.of(grantee.family.claims)
    claims: dict[str, Any] = {
        **values_of(grantee.account, asked.id_token),
        "sub": grantee.account.subject,
        "aud": client.id,
        "auth_time": int(grantee.family.signed_in_at.timestamp()),
        "acr": asked.acr_for(ASSURANCE),
        "at_hash": create_half_hash(access_token, ALGORITHM).decode(),
    }
    if grantee.nonce is not None:
        claims["nonce"] = grantee.nonce
    return issuer.sign(claims, typ="JWT", now=now)


def claim_refresh_token(session: Session, secret: str, client_id: str, now: datetime) -> TokenFamily | None:
    """The family of a refresh token that may be used now; it stays locked until the transaction ends.

    A token that was spent before is in two hands, and nobody can tell which is the thief's: the family ends
    (RFC 9700, section 4.14.2). The caller must commit, also when it gets nothing.
    """
    token_hash = hash_secret(secret)
    family = store.lock_family_of_refresh_token(session, token_hash)
    if family is None or family.client_id != client_id or family.revoked_at is not None:
        return None
    expires_at, spent_at = store.get_refresh_token(session, token_hash)
    if spent_at is not None:
        store.revoke_family(session, family.id, now)
        return None
    return family if now < expires_at else None


def _personal_claims(client: Client, grantee: Grantee, scope: str) -> dict[str, Any]:
    # the jti carries the family's id: revoking the family then reaches its access tokens without a row for each
    return _access_claims(client, scope) | {
        "sub": grantee.account.subject,
        "roles": list(grantee.account.roles),
        "department": grantee.account.department,
        "auth_time": int(grantee.family.signed_in_at.timestamp()),
        "jti": f"{grantee.family.id}.{new_secret()}",
    }


def family_of(claims: dict[str, Any]) -> str | None:
    family_id, dot, _ = str(claims["jti"]).partition(".")
    return family_id if dot else None


def _access_claims(client: Client, scope: str) -> dict[str, Any]:
    return {"aud": AUDIENCE, "client_id": client.id, "scope": scope, "channel": client.channel}


def _token_response(access_token: str, scope: str, lifetime: timedelta = ACCESS_TOKEN_LIFETIME) -> dict[str, Any]:
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(lifetime.total_seconds()),
        "scope": scope,
    }
