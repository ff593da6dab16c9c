"""The public keys that a client signs with, as it registered them (RFC 7517; RFC 7591, section 2).

A `jwks_uri` is not taken: fetching what a stranger names opens our network to them, and their outage would be ours.
"""

from __future__ import annotations

import warnings
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from services.identity.domain import is_text

ALGORITHMS = ("ES256", "RS256")
MAX_KEYS, MAX_KID = 10, 200
RSA_BITS = range(2048, 8193)

_KNOWN = ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg")


class ClientKeysInvalid(ValueError):
    """Args: what is wrong, in words for whoever registers the client."""


def usable_keys(jwks: Any) -> dict[str, Any]:
    """The set without what we do not know. Raise `ClientKeysInvalid` for anything but public keys of two algorithms."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise ClientKeysInvalid(f"a key set is an object with 1 to {MAX_KEYS} keys in the member keys")
    for key in keys:
        _require_usable_key(key)
    kids = [key.get("kid") for key in keys]
    if len(keys) > 1 and (None in kids or len(set(kids)) < len(kids)):
        raise ClientKeysInvalid("each of several keys has a kid of its own")
    return {"keys": [{name: key[name] for name in _KNOWN if name in key} for key in keys]}


def read_keys(jwks: dict[str, Any]) -> KeySet | ECKey | RSAKey:
    """One key without a name is it, whatever name a signature gives it."""
    keys = [_read(key) for key in jwks["keys"]]
    return keys[0] if len(keys) == 1 and keys[0].kid is None else KeySet(list(keys))


def _require_usable_key(key: Any) -> None:
    if not isinstance(key, dict) or not _is_kid(key.get("kid", "-")):
        raise ClientKeysInvalid(f"a key is an object whose kid is text of {MAX_KID} characters at most")
    if key.get("use", "sig") != "sig" or key.get("alg", ALGORITHMS[0]) not in ALGORITHMS:
        raise ClientKeysInvalid(f"a key is for signatures (use sig) by {' or '.join(ALGORITHMS)}")
    try:
        read = _read(key)
    except (JoseError, ValueError, TypeError, KeyError):
        raise ClientKeysInvalid("a key cannot be read: it is an EC key on P-256, or an RSA key") from None
    if read.is_private:
        raise ClientKeysInvalid("a key is private: keep it, and hand in its public half")
    if isinstance(read, RSAKey) and read.raw_value.key_size not in RSA_BITS:
        raise ClientKeysInvalid(f"an RSA key has {RSA_BITS.start} to {RSA_BITS.stop - 1} bits")


def _is_kid(kid: Any) -> bool:
    return isinstance(kid, str) and is_text(kid) and len(kid) <= MAX_KID


def _read(key: dict[str, Any]) -> ECKey | RSAKey:
    if key.get("kty") == "EC" and key.get("crv") == "P-256":
        return ECKey.import_key(key)
    with warnings.catch_warnings():
        # of a key that is too short, which is refused
        warnings.simplefilter("ignore")
        return RSAKey.import_key(key)
