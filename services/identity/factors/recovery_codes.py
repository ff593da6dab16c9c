"""Recovery codes: ten, each good once, for who has lost the other second factors. Kept as hashes."""

from __future__ import annotations

from chassis import typed_codes
from services.identity.factors.domain import RECOVERY_CODES
from services.identity.sealing import hash_secret


def new_codes() -> list[str]:
    return [typed_codes.new() for _ in range(RECOVERY_CODES)]


def hash_code(subject: str, code: str) -> str:
    """With the subject, so that equal codes of two people are not seen to be equal.

    Nobody guesses one, so its SHA-256 can be kept (`sealing.hash_secret`) and no wrong answer is counted.
    """
    return hash_secret(f"{subject}:{typed_codes.bare(code)}")
