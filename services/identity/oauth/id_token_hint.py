"""An ID token that a client hands back to say whom it means (OpenID Connect Core, section 3.1.2.1)."""

from __future__ import annotations

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.identity.domain import SIGNING_ALGORITHMS, Client
from services.identity.oauth.tokens import Issuer


def read_hint(issuer: Issuer, client: Client, text: str) -> dict[str, Any] | None:
    """The claims, if the token is ours and was for this client. It may have expired: it proves nothing, it names."""
    claims = read_any_hint(issuer, text)
    return claims if claims is not None and claims["aud"] == client.id else None


def read_any_hint(issuer: Issuer, text: str) -> dict[str, Any] | None:
    """The same, whichever client it was for (`aud`)."""
    keys = KeySet.import_key_set({"keys": [dict(key) for key in issuer.keys.public]})
    try:
        token = jwt.decode(text, keys, SIGNING_ALGORITHMS)
    except (JoseError, ValueError, TypeError):
        # TypeError: joserfc takes it for granted that `crit` is a list
        return None
    is_ours = token.header.get("typ") == "JWT" and token.claims.get("iss") == issuer.url
    return token.claims if is_ours and isinstance(token.claims.get("aud"), str) else None
