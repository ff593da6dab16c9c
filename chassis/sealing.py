"""Secrets at rest that must be read again: sealed with a key from the environment."""

from __future__ import annotations

import base64
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12


class SealingKeyUnusable(ValueError):
    """The key is not 32 bytes in base64url."""


class SealedOtherwise(Exception):
    """It was sealed with another key (the setting has changed), or damaged."""


def derive(key: str, purpose: str) -> bytes:
    """32 bytes for one purpose (HKDF, RFC 5869), out of `key`, which is 32 bytes in base64url.

    Raise `SealingKeyUnusable` for anything else.
    """
    try:
        raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    except ValueError as error:
        raise SealingKeyUnusable("it is not base64url") from error
    if len(raw) != _KEY_BYTES:
        raise SealingKeyUnusable(f"it has {len(raw)} bytes instead of {_KEY_BYTES}")
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(raw)


# a process has a key or two and some purposes; deriving anew costs more than to seal or to open
@lru_cache(maxsize=64)
def _cipher_of(key: str, purpose: str) -> AESGCM:
    return AESGCM(derive(key, purpose))


class Seal:
    """AES-256-GCM under a key of its own for each purpose, so that one kind of secret never opens as another.

    `key` is 32 bytes in base64url. Raise `SealingKeyUnusable` for anything else.
    """

    def __init__(self, key: str, purpose: str, other_key: str | None = None) -> None:
        self._cipher = _cipher_of(key, purpose)
        self._other = _cipher_of(other_key, purpose) if other_key else None

    def close(self, plain: bytes, place: bytes | None = None) -> bytes:
        """`place` is where it is kept: it opens nowhere else."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes | None = None) -> bytes:
        """Raise `SealedOtherwise`."""
        try:
            return _open(self._cipher, sealed, place)
        except SealedOtherwise:
            if self._other is None:
                raise
            return _open(self._other, sealed, place)

    def reseal(self, sealed: bytes, place: bytes | None = None) -> bytes | None:
        """Under the present key; None if it is already. Raise `SealedOtherwise`."""
        try:
            _open(self._cipher, sealed, place)
        except SealedOtherwise:
            return self.close(self.open(sealed, place), place)
        return None


def _open(cipher: AESGCM, sealed: bytes, place: bytes | None) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
        raise SealedOtherwise from error
