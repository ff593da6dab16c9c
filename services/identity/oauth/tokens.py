"""What tokens say, and how they are issued, renewed and read.

Access tokens are JWTs by RFC 9068, so that the gateway verifies them alone. Refresh tokens are opaque.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from authlib.oidc.core.util import create_half_hash
from joserfc import jws, jwt
from joserfc.errors import JoseError

from chassis.database import Session
from contracts import topology
from services.identity.assurance import TWO_FACTORS, level_of
from services.identity.domain import (
    ACCESS_TOKEN_LIFETIME,
    EXCHANGED_LIFETIME,
    PAIRWISE,
    REFRESH_TOKEN,
    Account,
    Client,
    TokenFamily,
    access_token_lifetime,
)
from services.identity.oauth import refreshing
from services.identity.oauth.claims import values_of
from services.identity.oauth.claims_request import ClaimsRequest
from services.identity.oauth.keys import ALGORITHM, SigningKeys
from services.identity.oauth.pairwise import Subjects
from services.identity.oauth.refreshing import Claimed
from services.identity.oauth.telling import note_told
from services.identity.persons.people import People
from services.identity.sealing import new_secret

BEARER, DPOP = "Bearer", "DPoP"

AUDIENCE = "urn:onehall:api"
BROKER_AUDIENCE = "rabbitmq"
"""What the broker's OAuth 2 plugin knows itself by: the prefix of its scopes, so it can be no URI."""


@dataclass(frozen=True, slots=True)
class Grantee:
    """The person whom tokens are issued for, and the family that they belong to.

    `claimed` is the refresh token that they are issued in return for, if it is one.
    """

    account: Account
    family: TokenFamily
    nonce: str | None = None
    claimed: Claimed | None = None

    @property
    def level(self) -> int:
        """As it is now, also at a refresh: the person may have come to a counter since."""
        return level_of(self.account.assurance, self.family.amr)


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
    """Signs and reads JWTs in the name of `url`. `two_factors_for_staff`: without them nobody has a role in a token."""

    url: str
    keys: SigningKeys
    subjects: Subjects
    broker: BrokerResource = BrokerResource()
    people: People = field(kw_only=True)
    two_factors_for_staff: bool = field(default=False, kw_only=True)

    def sign(
        self,
        claims: dict[str, Any],
        *,
        typ: str,
        now: datetime,
        lifetime: timedelta = ACCESS_TOKEN_LIFETIME,
        alg: str = ALGORITHM,
    ) -> str:
        key = self.keys.signing[alg]
        iat = int(now.timestamp())
        times = {"iat": iat, "exp": iat + int(lifetime.total_seconds())}
        return jwt.encode({"alg": alg, "kid": key.kid, "typ": typ}, {"iss": self.url, **times, **claims}, key, [alg])

    def read_access_token(self, text: str, now: datetime) -> dict[str, Any] | None:
        """The claims, if the token is ours, for us, and not expired. Whether it was revoked is another question."""
        try:
            kid = jws.extract_compact(text.encode()).headers()["kid"]
            key = self.keys.verifying(kid)
            token = jwt.decode(text, key, [ALGORITHM]) if key else None
        except (JoseError, ValueError, TypeError, KeyError):
            # TypeError: joserfc takes it for granted that `crit` is a list
            return None
        if token is None:
            return None
        claims = token.claims
        # RFC 9068, section 4: "MUST verify that the typ header value is at+jwt", against ID tokens used here
        is_ours = token.header.get("typ") == "at+jwt" and claims.get("iss") == self.url
        return claims if is_ours and claims.get("aud") == AUDIENCE and claims["exp"] > now.timestamp() else None


def issue_tokens(
    session: Session,
    issuer: Issuer,
    client: Client,
    grantee: Grantee,
    scope: str,
    now: datetime,
    jkt: str | None = None,
) -> dict[str, Any]:
    """A token response (RFC 6749, section 5.1) with a refresh token if `offline_access` was granted.

    `jkt` is the thumbprint of the key that the access token is bound to (RFC 9449).
    """
    tokens = _api_token(issuer, client, _personal_claims(issuer, client, grantee), scope, now, jkt)
    if grantee.claimed is not None:
        tokens["refresh_token"] = refreshing.succeed(session, client, grantee.claimed, now)
    elif "offline_access" in grantee.family.scope.split() and REFRESH_TOKEN in client.grants:
        tokens["refresh_token"] = refreshing.begin(session, client, grantee.family, now)
    return tokens


def issue_client_token(
    issuer: Issuer, client: Client, scope: str, now: datetime, jkt: str | None = None
) -> dict[str, Any]:
    """RFC 9068, section 2.2: without a resource owner, `sub` is the client. No refresh token (RFC 6749, 4.4.3)."""
    claims: dict[str, Any] = {"sub": client.id, "roles": [], "department": client.department, "jti": new_secret()}
    if client.organisation is not None:
        claims["organisation"] = client.organisation
    return _api_token(issuer, client, claims, scope, now, jkt)


def issue_exchanged_token(
    issuer: Issuer,
    client: Client,
    subject: str,
    actor: dict[str, Any],
    scope: str,
    now: datetime,
    jkt: str | None = None,
    *,
    level: int,
    hall: str | None = None,
    details: dict[str, str] | None = None,
    visit: str | None = None,
    checks: Collection[str] = (),
) -> dict[str, Any]:
    """RFC 8693, section 4.1: `sub` is who it is for, `act` who acts, by the claims of their own access token.

    No role, no department, no refresh token. It belongs to the actor's family, and is revoked with it; and to the
    visit at the counter, if it is of one, and ends with it. `level` is how sure it is who both are, `hall` where the
    clerk works who acts, `details` narrow what may be done (RFC 9396, section 9.1). `checks` are how it was seen at the
    counter who it is for (`contracts.actors.CHECKS`).
    """
    claims: dict[str, Any] = {
        "sub": subject,
        "act": {"sub": actor["sub"]},
        "roles": [],
        "department": None,
        "acr": str(level),
        "jti": f"{family_of(actor)}.{f'{visit}.' if visit else ''}{new_secret()}",
    }
    if hall is not None:
        claims["hall"] = hall
    if checks:
        claims["checks"] = list(checks)
    if details is not None:
        claims["authorization_details"] = [details]
    return _api_token(issuer, client, claims, scope, now, jkt, EXCHANGED_LIFETIME)


def issue_broker_token(issuer: Issuer, client: Client, now: datetime) -> dict[str, Any]:
    """Opens the owner's queues at the broker, and nothing of the API: it has another audience and other scopes."""
    assert client.owner is not None  # noqa: S101  the grant has looked (`Client.may_hear_events`)
    scope, lifetime = issuer.broker.scope(client.owner), issuer.broker.lifetime
    claims = {"sub": client.id, "aud": BROKER_AUDIENCE, "client_id": client.id, "scope": scope, "jti": new_secret()}
    return _token_response(issuer.sign(claims, typ="at+jwt", now=now, lifetime=lifetime), scope, lifetime)


def _api_token(
    issuer: Issuer,
    client: Client,
    claims: dict[str, Any],
    scope: str,
    now: datetime,
    jkt: str | None,
    longest: timedelta = timedelta.max,
) -> dict[str, Any]:
    lifetime = min(access_token_lifetime(client), longest)
    about = {"aud": AUDIENCE, "client_id": client.id, "scope": scope, "channel": client.channel}
    bound = {} if jkt is None else {"cnf": {"jkt": jkt}}
    token = issuer.sign(about | claims | bound, typ="at+jwt", now=now, lifetime=lifetime)
    return _token_response(token, scope, lifetime, BEARER if jkt is None else DPOP)


def id_token(issuer: Issuer, client: Client, grantee: Grantee, access_token: str, now: datetime) -> str:
    """OpenID Connect Core, section 2. `auth_time` is when the person signed in, also after a refresh (12.2).

    `c_hash` belongs to a code that the authorization endpoint gives together with the token (3.3.2.11): never here.
    """
    asked = ClaimsRequest.of(grantee.family.claims)
    told = values_of(grantee.account, issuer.people, asked.id_token)
    note_told(issuer.people, client, grantee.family, told, now)
    claims: dict[str, Any] = {
        **told,
        "sub": issuer.subjects.seen_by(client, grantee.account.subject),
        "aud": client.id,
        "auth_time": int(grantee.family.signed_in_at.timestamp()),
        "acr": asked.acr_for(grantee.level),
        "amr": list(grantee.family.amr),
        "at_hash": create_half_hash(access_token, client.id_token_alg).decode(),
    }
    if grantee.nonce is not None:
        claims["nonce"] = grantee.nonce
    if grantee.family.sid is not None:
        claims["sid"] = issuer.subjects.session_seen_by(client, grantee.family.sid)
    return issuer.sign(claims, typ="JWT", now=now, alg=client.id_token_alg)


def _personal_claims(issuer: Issuer, client: Client, grantee: Grantee) -> dict[str, Any]:
    # a terminal that stands open to all is no place to decide on cases from, whoever stands before it
    is_for_staff = client.channel != "kiosk" and (not issuer.two_factors_for_staff or TWO_FACTORS in grantee.family.amr)
    # the jti carries the family's id: revoking the family then reaches its access tokens without a row for each
    claims = {
        "sub": issuer.subjects.seen_by(client, grantee.account.subject),
        "roles": list(grantee.account.roles) if is_for_staff else [],
        "department": grantee.account.department if is_for_staff else None,
        # RFC 9068, section 2.2.1: what a resource server may demand (RFC 9470)
        "auth_time": int(grantee.family.signed_in_at.timestamp()),
        "acr": str(grantee.level),
        "amr": list(grantee.family.amr),
        "jti": f"{grantee.family.id}.{new_secret()}",
    }
    if is_for_staff and grantee.account.hall is not None:
        claims["hall"] = grantee.account.hall
    # the API asks identity who that is, since the client reads this token and must not learn it
    return claims | ({"subject_type": PAIRWISE} if client.subject_type == PAIRWISE else {})


def family_of(claims: dict[str, Any]) -> str | None:
    family_id, dot, _ = str(claims["jti"]).partition(".")
    return family_id if dot else None


def visit_of(claims: dict[str, Any]) -> str | None:
    """By the hash of its secret; None for a token that is of no visit."""
    parts = str(claims["jti"]).split(".")
    return parts[1] if len(parts) > 2 else None


def _token_response(access_token: str, scope: str, lifetime: timedelta, token_type: str = BEARER) -> dict[str, Any]:
    return {
        "access_token": access_token,
        "token_type": token_type,
        "expires_in": int(lifetime.total_seconds()),
        "scope": scope,
    }
