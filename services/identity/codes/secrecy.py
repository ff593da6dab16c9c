"""What is kept of a code: a keyed hash, and itself sealed until it has been sent."""

from __future__ import annotations

import hmac
import secrets

from chassis.sealing import derive
from services.identity.limits.guard import LimitKeys
from services.identity.sealing import Seal

_PURPOSE = "one-time-codes"


class CodeKeys:
    """Under ONEHALL_COOKIE_KEY. While that changes, what was made under ONEHALL_OTHER_COOKIE_KEY counts too.

    Hashed with a key, because a million codes are tried in a second, and numbers of phones in an hour.
    """

    def __init__(self, cookie_key: str, other_key: str | None = None) -> None:
        self.seal = Seal(cookie_key, _PURPOSE, other_key)
        self.limits = LimitKeys(cookie_key)
        self._hash_keys = [derive(key, f"onehall.identity.{_PURPOSE}.hash") for key in (cookie_key, other_key) if key]

    def hash(self, what: str, text: str) -> str:
        """To be kept. `what` keeps a code and an address of the same text apart."""
        return self.hashes(what, text)[0]

    def hashes(self, what: str, text: str) -> list[str]:
        """Every one that may have been kept."""
        said = f"{what}\0{text}".encode("utf-8", "surrogatepass")
        return [hmac.digest(key, said, "sha256").hex() for key in self._hash_keys]


def new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06}"
