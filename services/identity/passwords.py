"""Passwords: argon2id (RFC 9106). Call these through `offload`, never inside a transaction: each takes ~40 ms."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from services.identity.domain import MAX_PASSWORD

# OWASP's minimum (Password Storage Cheat Sheet). RFC 9106's 64 MiB are three times as slow, and twenty sign-ins at
# once would need more memory than a service has; who has more of both raises these, and hashes follow at sign-in
_hasher = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)

# what an unknown user name is verified against, so that the time of the answer does not tell who has an account
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$ifY5t4p12n4DzyfVYQBULA$g6uKZFwVbSuRLw2f3vK9lwyOyr74YmZfYeyvFBNkEJU"


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
