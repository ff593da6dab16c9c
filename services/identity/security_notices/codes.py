"""The code in a notice: twelve characters that say "this was not me", or set a new password.

They are good for days: who asks the door a thousand times a second meets one of a million in a thousand years.
They are derived from the notice's id under a key, so nothing that is stored opens anything, and a mail that is sent
twice says the same. Short, because a short message carries no link of its own: a provider's template has a fixed
address and variables of six characters (Tencent Cloud, "template variables").
"""

from __future__ import annotations

import hmac

from chassis import typed_codes
from chassis.sealing import derive

_PURPOSE = "onehall.identity.security-notices"


class NoticeKeys:
    """Under ONEHALL_COOKIE_KEY; while that changes, codes of ONEHALL_OTHER_COOKIE_KEY are good too."""

    def __init__(self, cookie_key: str, other_key: str | None = None) -> None:
        roots = [key for key in (cookie_key, other_key) if key]
        self._keys = [(derive(key, f"{_PURPOSE}.codes"), derive(key, f"{_PURPOSE}.hashes")) for key in roots]

    def make(self, notice: str) -> tuple[str, str]:
        """The notice's code, and the hash of it that is kept."""
        code_key, hash_key = self._keys[0]
        code = _code(code_key, notice)
        return code, _hash(hash_key, code)

    def again(self, notice: str, code_hash: str) -> str | None:
        """The code that was made before, or None if its key is gone."""
        made = ((_code(code_key, notice), hash_key) for code_key, hash_key in self._keys)
        return next((code for code, hash_key in made if hmac.compare_digest(_hash(hash_key, code), code_hash)), None)

    def hashes(self, code: str) -> list[str]:
        """Every one that may have been kept of a code, however it is typed."""
        return [_hash(hash_key, code) for _, hash_key in self._keys]


def _code(key: bytes, notice: str) -> str:
    number = int.from_bytes(hmac.digest(key, notice.encode(), "sha256"))
    characters = ""
    for _ in range(typed_codes.LENGTH):
        number, index = divmod(number, len(typed_codes.ALPHABET))
        characters += typed_codes.ALPHABET[index]
    return typed_codes.shown(characters)


def _hash(key: bytes, code: str) -> str:
    return hmac.digest(key, typed_codes.bare(code).encode(), "sha256").hex()
