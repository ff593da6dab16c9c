"""Chinese in its two scripts, and as it is spoken.

OpenCC, because it knows phrases: a table of characters alone is often wrong (后 is 後 or 后).
"""

from __future__ import annotations

from functools import cache

from opencc import OpenCC
from pypinyin import lazy_pinyin

_SHAPES = str.maketrans("户説閲羣税脱衞", "戶說閱群稅脫衛")
"""Where the pages write the shape that more readers know than OpenCC's Hong Kong one."""


def to_traditional(text: str) -> str:
    """With Hong Kong's words, as our `zh-Hant` is."""
    return str(_converter("s2hk").convert(text)).translate(_SHAPES)


def to_simplified(text: str) -> str:
    return str(_converter("t2s").convert(text))


def to_pinyin(text: str) -> list[str]:
    """A syllable a character, without tones; what is not Chinese is one piece as it stands."""
    return [str(piece) for piece in lazy_pinyin(text)]


@cache
def _converter(direction: str) -> OpenCC:
    return OpenCC(direction)
