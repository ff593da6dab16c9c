"""Words of Chinese and other text, for an index: pairs of characters, since Chinese writes no spaces between words.

In one script and one case, so that who types simplified finds what was written in traditional.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from services.cases.catalogue.script import to_simplified

MOST: Final = 500
"""Of one text: a note of 2,000 characters has them all but in the rarest case."""

_RUNS = re.compile(r"[㐀-鿿豈-﫿]+|[^\W_㐀-鿿豈-﫿]+")
_LONG_NUMBER = re.compile(r"\d{7,}")
"""A telephone, an identity number, an account: people are not to be found by them."""


def words_of(text: str) -> list[str]:
    """In order, each once."""
    found: dict[str, None] = {}
    for run in _RUNS.findall(unicodedata.normalize("NFKC", to_simplified(text)).casefold()):
        found.update(dict.fromkeys(_pieces(run)))
    return list(found)[:MOST]


def _pieces(run: str) -> list[str]:
    if _LONG_NUMBER.search(run):
        return []
    if not _is_chinese(run) or len(run) == 1:
        return [run]
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _is_chinese(run: str) -> bool:
    return "㐀" <= run[0] <= "鿿" or "豈" <= run[0] <= "﫿"
