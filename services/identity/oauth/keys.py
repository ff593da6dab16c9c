"""The signing keys and their life: published before they sign, and until the last thing that they signed has died.

They are made at first need and kept in the database, the private half sealed. ES256 (RFC 7518, section 3.4) signs ten
times faster than RS256, which is for the ID tokens of clients that ask for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import delete, func, insert, select

from chassis.database import Session
from services.identity import tables
from services.identity.domain import SESSION_ABSOLUTE, SIGNING_ALGORITHMS
from services.identity.sealing import Seal, SealedOtherwise

ALGORITHM = "ES256"
"""Of access tokens and of all that says nothing else."""

PUBLISHED_BEFORE = timedelta(minutes=15)
"""Longer than anybody keeps the published keys (the gateway and HTTP caches: five minutes) before asking again."""

KEPT_AFTER = SESSION_ABSOLUTE
"""The longest use of a signature: an ID token is a hint at sign-out for as long as its session may live."""

KEYS_FRESH_SECONDS = 1.0
"""How long a process goes on with the keys that it has read. One that is revoked may sign for so long."""

_LOCK = 7_251_001
"""Number of the advisory lock under which keys are made: two replicas that start at once make one of each kind."""

PrivateKey = ECKey | RSAKey


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """`signing` is the current key of each algorithm; every one of `public` verifies."""

    signing: Mapping[str, PrivateKey]
    public: tuple[dict[str, Any], ...]

    def verifying(self, kid: str) -> ECKey | None:
        """The key of access tokens with this id."""
        known = (key for key in self.public if key["kid"] == kid and key["alg"] == ALGORITHM)
        return next((ECKey.import_key(dict(key)) for key in known), None)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """`current_from` is when it begins to sign, unless a newer one has begun."""

    kid: str
    alg: str
    public_jwk: dict[str, Any]
    private_key: bytes
    created_at: datetime
    current_from: datetime


class KeyRing:
    """The keys as they were a moment ago, for a process that asks for them at every request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: SigningKeys | None = None
        self._read_at = float("-inf")

    def load(self, session: Session, seal: Seal, now: datetime) -> SigningKeys:
        """As `load_keys`, read anew once a second."""
        if self._keys is not None and self._clock() - self._read_at < KEYS_FRESH_SECONDS:
            return self._keys
        read_at = self._clock()
        found = _find_keys(session, seal, now)
        if found is None:
            # made in this transaction, which may yet roll back
            return load_keys(session, seal, now)
        self._keys, self._read_at = found, read_at
        return found


def load_keys(session: Session, seal: Seal, now: datetime) -> SigningKeys:
    """Of the keys that have begun, the newest that opens signs. If none does, a new one is made, and signs at once."""
    found = _find_keys(session, seal, now)
    if found is not None:
        return found
    _lock(session)
    signing = _signing(list_keys(session), seal, now)
    for alg in SIGNING_ALGORITHMS:
        if alg not in signing:
            _add_key(session, seal, alg, now, current_from=now)
    made = _find_keys(session, seal, now)
    assert made is not None  # noqa: S101  they were made some lines above
    return made


def _find_keys(session: Session, seal: Seal, now: datetime) -> SigningKeys | None:
    """None if there is no key that opens for one of the algorithms."""
    stored = list_keys(session)
    signing = _signing(stored, seal, now)
    if len(signing) < len(SIGNING_ALGORITHMS):
        return None
    return SigningKeys(signing, tuple(key.public_jwk for key in stored if not is_over(key, stored, now)))


def rotate(session: Session, seal: Seal, now: datetime, *, older_than: timedelta = timedelta(0)) -> None:
    """Publish the next key of each algorithm; it begins to sign when everybody knows it.

    Not while a next key waits already, nor for a newest key that is younger than `older_than`. Raise `SealedOtherwise`
    if there is no key that opens: a successor that identity cannot open would only end the life of what it signs with.
    """
    _lock(session)
    stored = list_keys(session)
    for alg in SIGNING_ALGORITHMS:
        newest = next((key for key in stored if key.alg == alg and _private_key(key, seal)), None)
        if newest is None:
            raise SealedOtherwise
        if newest.current_from <= now - older_than:
            _add_key(session, seal, alg, now, current_from=now + PUBLISHED_BEFORE)


def remove_retired(session: Session, now: datetime) -> None:
    stored = list_keys(session)
    over = [key.kid for key in stored if is_over(key, stored, now)]
    if over:
        session.execute(delete(tables.signing_keys).where(tables.signing_keys.c.kid.in_(over)))


def revoke(session: Session, kid: str) -> bool:
    """Forget a key that somebody else may have; what it signed is worth nothing any more. False if there is none."""
    _lock(session)
    removed = delete(tables.signing_keys).where(tables.signing_keys.c.kid == kid)
    return session.execute(removed.returning(tables.signing_keys.c.kid)).first() is not None


def is_over(key: StoredKey, stored: list[StoredKey], now: datetime) -> bool:
    """Whether its successor has been signing for so long that nothing of this key can be alive."""
    ends_at = retired_at(key, stored)
    return ends_at is not None and ends_at + KEPT_AFTER <= now


def retired_at(key: StoredKey, stored: list[StoredKey]) -> datetime | None:
    """When the next key of its algorithm begins, or began."""
    later = [other.current_from for other in stored if other.alg == key.alg and other.current_from > key.current_from]
    return min(later, default=None)


def list_keys(session: Session) -> list[StoredKey]:
    """The newest first."""
    columns = [tables.signing_keys.c[field.name] for field in fields(StoredKey)]
    newest_first = select(*columns).order_by(tables.signing_keys.c.current_from.desc())
    return [StoredKey(**row._mapping) for row in session.execute(newest_first)]


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _signing(stored: list[StoredKey], seal: Seal, now: datetime) -> dict[str, PrivateKey]:
    signing: dict[str, PrivateKey] = {}
    for key in stored:
        if key.current_from <= now and key.alg not in signing and (pem := _private_key(key, seal)):
            signing[key.alg] = _import(pem, key.kid)
    return signing


def _private_key(key: StoredKey, seal: Seal) -> bytes | None:
    with suppress(SealedOtherwise):
        return seal.open(bytes(key.private_key))
    return None


@lru_cache(maxsize=16)
def _import(pem: bytes, kid: str) -> PrivateKey:
    # it was sealed by us: testing the primes again would take 0.2 s
    key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    if isinstance(key, RSAPrivateKey):
        return RSAKey.import_key(key, {"kid": kid})
    return ECKey.import_key(pem, {"kid": kid})


def _add_key(session: Session, seal: Seal, alg: str, now: datetime, current_from: datetime) -> None:
    key: PrivateKey = RSAKey.generate_key(2048) if alg == "RS256" else ECKey.generate_key("P-256")
    kid = key.thumbprint()
    row = {
        "kid": kid,
        "alg": alg,
        "public_jwk": key.as_dict(private=False) | {"kid": kid, "use": "sig", "alg": alg},
        "private_key": seal.close(key.as_pem(private=True)),
        "created_at": now,
        "current_from": current_from,
    }
    session.execute(insert(tables.signing_keys).values(row))
