"""Secrets at rest: sealed with a key from the environment if they must be read again, hashed if not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12


class SealingKeyUnusable(ValueError):
    """ONEHALL_COOKIE_KEY is not 32 bytes in base64url."""


class SealedOtherwise(Exception):
    """It was sealed with another key (ONEHALL_COOKIE_KEY has changed), or damaged."""


class Seal:
    """AES-256-GCM under a key of its own for each purpose, so that one kind of secret never opens as another."""

    def __init__(self, cookie_key: str, purpose: str) -> None:
        try:
            key = base64.urlsafe_b64decode(cookie_key + "=" * (-len(cookie_key) % 4))
        except ValueError as error:
            raise SealingKeyUnusable("it is not base64url") from error
        if len(key) != _KEY_BYTES:
            raise SealingKeyUnusable(f"it has {len(key)} bytes instead of {_KEY_BYTES}")
        derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"onehall.identity.{purpose}".encode()).derive(key)
        self._cipher = AESGCM(derived)

    def close(self, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        """Raise `SealedOtherwise`."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except InvalidTag as error:
            raise SealedOtherwise from error


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
