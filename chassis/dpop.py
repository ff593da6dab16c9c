"""Proofs of possession (RFC 9449): a token that is bound to a key is worth nothing to who steals it alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

ALGORITHMS = ("ES256", "PS256")
PAST_SECONDS = 60
FUTURE_SECONDS = 30
"""How far a proof's `iat` may lie from our clock."""

_MAX_PROOF = 4_096
_MAX_JTI = 256
# in base64url: 2048 to 4096 bits of modulus, the usual exponents
_MODULUS = range(342, 684)
_MAX_EXPONENT = 6
_DEFAULT_PORTS = {"http": 80, "https": 443}


class _Headers(jws.JWSRegistry):
    """A header here holds a key, for which joserfc's 512 bytes are too few."""

    max_header_length = _MAX_PROOF


_HEADERS = _Headers(algorithms=ALGORITHMS, strict_check_header=False)


class ProofRefused(Exception):
    """Args: what is wrong with the proof, fit for an `error_description`."""


@dataclass(frozen=True, slots=True)
class Proof:
    """`jkt` is the thumbprint of its key (RFC 7638). Its `id` must be accepted once until `expires_at`."""

    jkt: str
    id: str
    expires_at: float


def read_proof(text: str, method: str, url: str, now: float, access_token: str | None = None) -> Proof:
    """Section 4.3, all but the single use. `access_token` is the one that came with it, if one did.

    Raise `ProofRefused`.
    """
    key, claims = _verified(text)
    # section 4.2, 4.3: the method and the address, less query and fragment
    if claims.get("htm") != method or _address(claims.get("htu")) != _address(url):
        raise ProofRefused("The proof is for another method or address.")
    issued_at, jti = claims.get("iat"), claims.get("jti")
    if not isinstance(issued_at, int | float) or not now - PAST_SECONDS <= issued_at <= now + FUTURE_SECONDS:
        raise ProofRefused("The proof is too old, or of the future.")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise ProofRefused("The proof has no usable jti.")
    if access_token is not None and not _is_hash_of(claims.get("ath"), access_token):
        raise ProofRefused("The proof is for another access token.")
    jkt = key.thumbprint()
    used_as = hashlib.sha256(f"{jkt}.{jti}".encode("utf-8", "surrogatepass")).hexdigest()
    return Proof(jkt, used_as, issued_at + PAST_SECONDS + 1)


def _verified(text: str) -> tuple[ECKey | RSAKey, dict[str, Any]]:
    if len(text) > _MAX_PROOF:
        raise ProofRefused("The proof is too long.")
    try:
        header = jws.extract_compact(text.encode("ascii"), registry=_HEADERS).headers()
        if header.get("typ") != "dpop+jwt" or header.get("alg") not in ALGORITHMS:
            raise ProofRefused(f"A proof is a JWT of the type dpop+jwt, signed with {' or '.join(ALGORITHMS)}.")
        key = _public_key(header.get("jwk"), header["alg"])
        claims = json.loads(jws.deserialize_compact(text, key, registry=_HEADERS).payload)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProofRefused("The proof is no JWT that its own key has signed.") from error
    if not isinstance(claims, dict):
        raise ProofRefused("The proof holds no claims.")
    return key, claims


def _public_key(jwk: Any, alg: str) -> ECKey | RSAKey:
    """Section 4.3: "The jwk JOSE Header Parameter does not contain a private key"."""
    if not isinstance(jwk, dict) or "d" in jwk:
        raise ProofRefused("The proof's header needs a public key.")
    if alg == "ES256":
        if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
            raise ProofRefused("ES256 needs a key on P-256.")
        return ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    if jwk.get("kty") != "RSA" or len(jwk["n"]) not in _MODULUS or len(jwk["e"]) > _MAX_EXPONENT:
        raise ProofRefused("PS256 needs an RSA key of 2048 to 4096 bits.")
    return RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")})


def _address(url: Any) -> tuple[str, str | None, int | None, str] | None:
    """Normalized as RFC 3986, section 6.2.2 and 6.2.3 say; None for no address."""
    try:
        parts = urlsplit(str(url))
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port, parts.path or "/"


def _is_hash_of(ath: Any, access_token: str) -> bool:
    digest = hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return isinstance(ath, str) and hmac.compare_digest(ath.encode("utf-8", "surrogatepass"), expected.encode())
