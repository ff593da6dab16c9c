"""What a client with a key of its own sends beside its token: proofs of possession (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey


def make_key() -> ECKey:
    return ECKey.generate_key("P-256")


def make_proof(
    key: Any,
    method: str,
    url: str,
    *,
    access_token: str | None = None,
    now: float | None = None,
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A good one, but for what `header` and `claims` change; None leaves out."""
    content = {"htm": method, "htu": url, "iat": int(now or time.time()), "jti": secrets.token_urlsafe(12)}
    if access_token is not None:
        content["ath"] = base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()
    content = {name: value for name, value in (content | claims).items() if value is not None}
    full = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)} | (header or {})
    full = {name: value for name, value in full.items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[full["alg"]])
    registry.max_header_length = 8_192
    return str(jws.serialize_compact(full, json.dumps(content), key, registry=registry))
