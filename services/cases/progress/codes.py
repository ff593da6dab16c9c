"""The code of a case's progress: made out of its number with a key, so that nothing that can be read lies anywhere.

A case has one from its filing on, and no row is needed for it; a new one is the same with another number of renewals.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from chassis import context, typed_codes
from chassis.limits import Bucket, Rule, subscriber
from chassis.sealing import derive

PROGRESS_ADDRESS: Final = Rule("progress-address", 60, timedelta(seconds=10))
"""Wrong numbers and codes from one address, for whatever cases. A hall has one address for everybody in it."""

PROGRESS_CASE: Final = Rule("progress-case", 20, timedelta(minutes=1))
"""Wrong codes for one number, from wherever. Whoever has the right one is let in all the same: 59 bits are not guessed
by anybody who is let try for ever, and a stranger must not be able to keep the applicant out."""

_PURPOSE: Final = "onehall.cases.progress"


@dataclass(frozen=True, slots=True)
class Access:
    """`renewals` counts the new codes; without `is_open` there is none."""

    renewals: int = 0
    is_open: bool = True


class ProgressKeys:
    """Under ONEHALL_CASES_KEY. A code made under ONEHALL_OTHER_CASES_KEY is good as long as that is set."""

    def __init__(self, key: str, other_key: str | None = None) -> None:
        self._keys = [derive(each, f"{_PURPOSE}.codes") for each in (key, other_key) if each]
        self._hashing = derive(key, f"{_PURPOSE}.limits")

    def code_of(self, number: str, renewals: int) -> str:
        """`abcd-efgh-jkmn`"""
        return typed_codes.shown(_code(self._keys[0], number, renewals))

    def is_right(self, number: str, renewals: int, typed: str) -> bool:
        """However it is typed; in the same time for a right and a wrong one."""
        given = typed_codes.bare(typed).encode()
        right = [hmac.compare_digest(given, _code(key, number, renewals).encode()) for key in self._keys]
        return any(right)

    def buckets(self, number: str) -> list[Bucket]:
        """Those of the case's number, and of the caller's address if the call came through the door."""
        address = context.address.get()
        of_address = [self._bucket(PROGRESS_ADDRESS, subscriber(address))] if address else []
        return [*of_address, self._bucket(PROGRESS_CASE, number)]

    def _bucket(self, rule: Rule, who: str) -> Bucket:
        return Bucket(rule, hmac.digest(self._hashing, who.encode("utf-8", "surrogatepass"), "sha256").hex())


def _code(key: bytes, number: str, renewals: int) -> str:
    """59 of the 256 bits, as digits of the alphabet."""
    said = f"{number}\0{renewals}".encode("utf-8", "surrogatepass")
    rest = int.from_bytes(hmac.digest(key, said, "sha256"), "big")
    characters = ""
    for _ in range(typed_codes.LENGTH):
        rest, index = divmod(rest, len(typed_codes.ALPHABET))
        characters += typed_codes.ALPHABET[index]
    return characters
