"""Text as search compares it: one script, one case, no punctuation; cut into pieces; as it is spoken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from services.cases.catalogue.script import to_pinyin, to_simplified

MOST_READ = 200
"""Of a text that is searched for; the rest does not make it clearer."""

_PIECE = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]+|[0-9a-z]+")
_CHINESE = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_ASKING = re.compile(
    "(?:什么|哪些)(?:材料|资料|条件|手续|证件)|怎么样?|怎样|如何|哪里|哪儿|在哪|什么|需要|可以|我要|我想|想要|请问|能不能|可不可以|办理|去办|要办|怎么办|的?流程|的?手续|吗|呢|要|想"
)
_SMALL = frozenset(
    ("a", "an", "and", "apply", "application", "at", "by", "can", "do", "for", "get", "how", "i", "in", "is", "it")
) | frozenset(("my", "need", "of", "on", "or", "the", "to", "want", "we", "what", "where", "with"))


def fold(text: str) -> str:
    """Pieces with one blank between them. `text` is of any length and content; only its beginning is read."""
    plain = unicodedata.normalize("NFKC", text[:MOST_READ]).casefold()
    if not plain.isascii():
        plain = to_simplified(plain)
    plain = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
    return " ".join(_PIECE.findall(plain))


def fold_code(code: str) -> str:
    """A code is one piece, whatever stands between its parts."""
    return fold(code).replace(" ", "")


def without_asking(folded: str) -> str:
    """A question without what makes it one, if something is left: `怎么办理居住证` asks for `居住证`."""
    left = " ".join(_ASKING.sub(" ", folded).split())
    words = [word for word in left.split() if word not in _SMALL]
    return " ".join(words) or folded


def is_chinese(text: str) -> bool:
    return bool(_CHINESE.search(text))


def grams(folded: str) -> list[str]:
    """Words of letters and digits as they are, Chinese in pairs of characters; a character alone is itself."""
    found = []
    for piece in folded.split():
        if is_chinese(piece) and len(piece) > 1:
            found += [piece[place : place + 2] for place in range(len(piece) - 1)]
        elif piece not in _SMALL:
            found.append(piece)
    return list(dict.fromkeys(found))


@lru_cache(maxsize=20_000)
def syllables(folded: str) -> tuple[str, ...]:
    """How it is spoken: a syllable a Chinese character, other pieces as they are."""
    return tuple(piece for part in to_pinyin(folded) for piece in part.split())


def initials(spoken: Iterable[str]) -> str:
    return "".join(syllable[0] for syllable in spoken)
