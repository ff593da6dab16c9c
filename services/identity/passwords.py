"""Passwords: argon2id (RFC 9106). Call these through `offload`, never inside a transaction: each takes ~0.1 s."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from services.identity.domain import MAX_PASSWORD

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

# what an unknown user name is verified against, so that the time of the answer does not tell who has an account
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$vdNTFOKROSF8qK5q1TWG6A$ZCTOhzVXNS9LKsOLBkSWIG3xSJE+CYsG2hwxxrpIKs0"


def hash_password(password: str) -> str:
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def is_password(password_hash: str | None, password: str) -> bool:
    """`None` stands for nobody: as slow as a wrong password, and wrong."""
    try:
        _hasher.verify(password_hash or NOBODY, password[:MAX_PASSWORD].encode("utf-8", "surrogatepass"))
    except VerificationError:
        return False
    return password_hash is not None and len(password) <= MAX_PASSWORD


def is_outdated(password_hash: str) -> bool:
    """The parameters became stronger since it was made."""
    return _hasher.check_needs_rehash(password_hash)
