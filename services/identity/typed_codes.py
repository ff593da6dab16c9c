"""Codes of twelve characters that people write down and type in: `abcd-efgh-jkmn`."""

from __future__ import annotations

import re

# without letters and digits that are taken for one another
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 12
"""59 bits: nobody guesses one."""

_LONGEST = 100
_PART = 4


def shown(characters: str) -> str:
    return "-".join(characters[at : at + _PART] for at in range(0, LENGTH, _PART))


def bare(typed: str) -> str:
    """However it is typed."""
    return re.sub(r"[^0-9a-z]", "", typed[:_LONGEST].casefold())
