"""Codes that people write down and type in: `abcd-efgh-jkmn`."""

from __future__ import annotations

import re
import secrets

# without letters and digits that are taken for one another
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 12
"""59 bits: nobody guesses one."""

_LONGEST = 100
_PART = 4


def new(length: int = LENGTH) -> str:
    """At random, as it is shown."""
    return shown("".join(secrets.choice(ALPHABET) for _ in range(length)))


def shown(characters: str) -> str:
    return "-".join(characters[at : at + _PART] for at in range(0, len(characters), _PART))


def bare(typed: str) -> str:
    """However it is typed."""
    return re.sub(r"[^0-9a-z]", "", typed[:_LONGEST].casefold())
