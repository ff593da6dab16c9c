"""Recovery codes: ten, each good once, for who has lost the other second factors. Kept as hashes."""

from __future__ import annotations

import re
import secrets

from services.identity.factors.domain import RECOVERY_CODES
from services.identity.sealing import hash_secret

# without letters and digits that are taken for one another
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 12
"""59 bits: nobody guesses one, so its SHA-256 can be kept (`sealing.hash_secret`) and no wrong answer is counted."""


def new_codes() -> list[str]:
    return [_new_code() for _ in range(RECOVERY_CODES)]


def _new_code() -> str:
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(code[at : at + 4] for at in range(0, LENGTH, 4))


def hash_code(subject: str, code: str) -> str:
    """However it is typed. With the subject, so that equal codes of two people are not seen to be equal."""
    return hash_secret(f"{subject}:{re.sub(r'[^0-9a-z]', '', code.casefold())}")
