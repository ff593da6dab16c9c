"""A client that proves itself with a signature instead of a secret: `private_key_jwt`.

RFC 7523, section 3, and OpenID Connect Core, section 9.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.util import to_bytes

from services.identity.domain import Client, is_text
from services.identity.oauth.client_keys import ALGORITHMS, read_keys

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW = timedelta(seconds=60)
"""How far a client's clock may be from ours."""

# what common client libraries make; each assertion is remembered so long
MAX_LIFETIME = timedelta(hours=1)
MAX_LENGTH, MAX_JTI = 8_000, 200


class AssertionInvalid(Exception):
    """It proves nothing. What is wrong with it is not told to whoever sent it."""


def claimed_client(assertion: str) -> str | None:
    """Who the assertion says that it is of, before anything is proved: their keys are needed to prove it."""
    if len(assertion) > MAX_LENGTH:
        return None
    try:
        payload = jws.extract_compact(to_bytes(assertion)).payload
        claims = json.loads(payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) and is_text(subject) else None


def read_assertion(client: Client, assertion: str, audiences: frozenset[str], now: datetime) -> tuple[str, datetime]:
    """The assertion's `jti`, and until when it must be remembered. Raise `AssertionInvalid`."""
    if client.jwks is None:
        raise AssertionInvalid
    try:
        claims = jwt.decode(assertion, read_keys(client.jwks), ALGORITHMS).claims
    except (JoseError, ValueError, TypeError):
        # TypeError: joserfc takes it for granted that `crit` is a list
        raise AssertionInvalid from None
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI:
        raise AssertionInvalid
    # section 3, points 1 to 3: both are the client, and it is for us and for nobody else
    if claims.get("iss") != client.id or claims.get("sub") != client.id or not _is_for(audiences, claims.get("aud")):
        raise AssertionInvalid
    return jti, _expiry(claims, now)


def _is_for(audiences: frozenset[str], audience: Any) -> bool:
    named = audience if isinstance(audience, list) else [audience]
    return bool(named) and all(isinstance(name, str) and name in audiences for name in named)


def _expiry(claims: dict[str, Any], now: datetime) -> datetime:
    """Section 3, points 4 to 6: `exp` is there, is to come and is not far; the others are past if they are there."""
    clock, skew = now.timestamp(), SKEW.total_seconds()
    begins = [claims[name] for name in ("nbf", "iat") if name in claims]
    exp: Any = claims.get("exp")
    if not all(_is_number(moment) for moment in (exp, *begins)) or any(moment > clock + skew for moment in begins):
        raise AssertionInvalid
    if not clock - skew < exp <= clock + MAX_LIFETIME.total_seconds() + skew:
        raise AssertionInvalid
    return datetime.fromtimestamp(exp, UTC) + SKEW


def _is_number(moment: Any) -> bool:
    return isinstance(moment, int | float) and not isinstance(moment, bool)
