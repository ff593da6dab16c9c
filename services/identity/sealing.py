"""Secrets at rest: sealed with a key from the environment if they must be read again, hashed if not."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from chassis import sealing
from chassis.sealing import SealedOtherwise, SealingKeyUnusable

__all__ = ("Seal", "SealedOtherwise", "SealingKeyUnusable", "hash_secret", "is_secret", "new_secret")


class Seal(sealing.Seal):
    """Under ONEHALL_COOKIE_KEY. While that changes, what is sealed under ONEHALL_OTHER_COOKIE_KEY opens too."""

    def __init__(self, cookie_key: str, purpose: str, other_key: str | None = None) -> None:
        super().__init__(cookie_key, f"onehall.identity.{purpose}", other_key)


def new_secret() -> str:
    """256 random bits, for a session, a code, a token or a client."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """SHA-256 is enough for our own secrets: 256 random bits cannot be guessed, however fast the hash is.

    A slow hash would cost every token request what it costs a sign-in. Passwords, which people choose, get argon2id.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_secret(secret: str, secret_hash: str) -> bool:
    return hmac.compare_digest(hash_secret(secret), secret_hash)
