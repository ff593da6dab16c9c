"""Identifiers at rest: sealed, and found again by a blind index.

All keys are derived from ONEHALL_COOKIE_KEY, one for sealing and one for the index. Each row says by an id which it was
made with, so that both are there while the key changes (`onehall key reseal`, docs/adr/0015).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from chassis.sealing import Seal, SealedOtherwise, derive
from services.identity.persons.identifiers import index_key

_PURPOSE = "onehall.identity.identifiers"


@dataclass(frozen=True, slots=True)
class Sealed:
    """`index` is a keyed hash: whoever reads the table can neither try all phones nor see who shares one elsewhere."""

    sealed: bytes
    index: bytes
    key_id: str


class _Keys:
    """What is derived from one root key. The id tells which, and nothing of it."""

    def __init__(self, root: str) -> None:
        self.seal = Seal(root, _PURPOSE)
        self.id = derive(root, f"{_PURPOSE}.id")[:8].hex()
        self._index = derive(root, f"{_PURPOSE}.index")

    def index(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._index, f"{kind}\0{index_key(kind, value)}".encode(), hashlib.sha256)


# deriving costs more than sealing, and a process has one key, or two while it changes
_keys_of = lru_cache(maxsize=8)(_Keys)


class Vault:
    """Seals under `cookie_key`; opens and finds also under `other_key`, while the key changes."""

    def __init__(self, cookie_key: str, other_key: str | None = None) -> None:
        self._keys = _keys_of(cookie_key)
        self._all = {self._keys.id: self._keys}
        if other_key:
            other = _keys_of(other_key)
            self._all.setdefault(other.id, other)

    @property
    def key_id(self) -> str:
        return self._keys.id

    def close(self, subject: str, kind: str, value: str) -> Sealed:
        sealed = self._keys.seal.close(value.encode(), _place(subject, kind))
        return Sealed(sealed, self._keys.index(kind, value), self._keys.id)

    def open(self, subject: str, kind: str, sealed: bytes, key_id: str) -> str:
        """Raise `SealedOtherwise`, also for what was sealed for somebody else's row."""
        keys = self._all.get(key_id)
        if keys is None:
            raise SealedOtherwise
        return keys.seal.open(bytes(sealed), _place(subject, kind)).decode()

    def indexes(self, kind: str, value: str) -> list[bytes]:
        """What a row of this value may have as index: one, or two while the key changes."""
        return [keys.index(kind, value) for keys in self._all.values()]


def _place(subject: str, kind: str) -> bytes:
    """Sealed with it, so that a row that is copied onto another person does not open."""
    return f"{subject}\0{kind}".encode()
