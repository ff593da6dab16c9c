"""Which passwords are refused (NIST SP 800-63B-4, section 3.1.1.2): too short, commonly used, or about the person.

No rule of composition: "Verifiers and CSPs SHALL NOT impose other composition rules". How soon a guesser would find it
is estimated by zxcvbn (Wheeler, USENIX Security 2016), which knows 30,000 leaked passwords, names, words, keyboard
walks, dates and repetitions. Call it through `offload`: an estimate takes 1 to 20 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from zxcvbn import zxcvbn

from contracts.errors import Fault, InvalidInput
from services.identity.domain import MAX_PASSWORD

MIN_LENGTH = 8
MIN_SCORE = 2
"""zxcvbn's "protection from unthrottled online attacks" (10^6 guesses): the sign-in is throttled."""

_ESTIMATED = 72
"""Characters that the estimate looks at: what comes after them only makes it harder."""

_SHORTEST_PART = 4


def require_acceptable(password: str, own: Iterable[str | None], pointer: str = "/password") -> None:
    """Raise `InvalidInput`. `own` are the person's names, addresses and numbers."""
    broken = _broken_rule(password, own_parts(own))
    if broken is not None:
        raise InvalidInput([Fault(pointer=pointer, rule=broken[0], value=broken[1])])


def own_parts(own: Iterable[str | None]) -> list[str]:
    """Each and its parts: `li.lei@example.org` is also `li` and `lei`, a number also its last six digits."""
    parts = set()
    for each in filter(None, own):
        lowered = each.casefold()
        # the provider's name in a mail address is nothing of the person's
        words = re.split(r"[\W_]+", lowered.partition("@")[0])
        parts |= {lowered, *words, *(word[-6:] for word in words if word[:6].isdecimal())}
        # a date of birth is written in an ID number (GB 11643)
        parts |= {word[6:14] for word in words if len(word) == 18}
    return sorted((part for part in parts if len(part) >= 2), key=len, reverse=True)


def _broken_rule(password: str, own: list[str]) -> tuple[str, object] | None:
    if len(password) < MIN_LENGTH:
        return ("minLength", MIN_LENGTH)
    if len(password) > MAX_PASSWORD:
        return ("maxLength", MAX_PASSWORD)
    if len(_without(password.casefold(), own)) < min(MIN_LENGTH, len(password.casefold())):
        return ("password", "own")
    if zxcvbn(password[:_ESTIMATED], own)["score"] < MIN_SCORE:
        return ("password", "common")
    return None


def _without(password: str, own: list[str]) -> str:
    for part in own:
        if len(part) >= _SHORTEST_PART or not part.isascii():
            password = password.replace(part, "")
    return password
