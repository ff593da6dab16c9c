"""The search itself: what matches a query, how well, and what was meant when nothing does.

Three ways, each tried when the one before finds nothing: what is written, how it is spoken, what is nearly so written.
A thousand items are looked through whole in a few milliseconds, so there is no index on disk to keep up (`docs/adr`).
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from services.cases.catalogue.script import to_simplified, to_traditional
from services.cases.catalogue.search import nearly
from services.cases.catalogue.search.entries import Entry, Text
from services.cases.catalogue.search.sound import spoken_alike
from services.cases.catalogue.search.words import fold, fold_code, grams, is_chinese, without_asking

EXACT, BEGINS, CONTAINS, SOME = 100.0, 80.0, 70.0, 50.0
ENOUGH: Final = 0.6
"""Of what a query says, weighed by how rare it is, so much has to be in an item."""
SOMETHING: Final = 0.3
"""The same when nothing else is found: a question in a whole sentence shares a word or two with its answer."""
CHATTER: Final = 1 / 3
"""What a word that no item has then counts, of what the rarest one would: people tell a story around what they want."""
_CODE: Final = re.compile("(?=.*[0-9])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+")
_WHOLE_WORD: Final = 3
"""Shorter than this, a word of letters does not stand for the words that it begins."""


@dataclass(frozen=True, slots=True)
class Found:
    """Places of the entries, the best first; `meant` is what was probably meant, if nothing matched as written."""

    places: list[int]
    meant: dict[str, str] | None = None


class Index:
    """Of entries in the order of their codes; never changed once made."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._postings: dict[str, dict[int, float]] = defaultdict(dict)
        for place, entry in enumerate(entries):
            for text in entry.texts:
                for gram in {*grams(text.folded), *filter(is_chinese, text.folded)}:
                    postings = self._postings[gram]
                    postings[place] = max(postings.get(place, 0.0), text.weight)
        self._words = sorted(gram for gram in self._postings if gram.isascii())
        self._titles = nearly.Titles.of(entries)
        self._rarest = math.log(len(entries) + 2)

    def search(self, asked: str) -> Found:
        folded = fold_code(asked) if _CODE.fullmatch(asked.strip()) else fold(asked)
        core = without_asking(folded)
        if not core:
            return Found([])
        if scores := self._written(folded, core) or self._titles.within(core):
            return Found(self._ranked(scores))
        alike = spoken_alike(self._entries, core)
        if alike.scores:
            return Found(self._ranked(alike.scores), _in_languages(asked, alike.meant))
        right = "" if is_chinese(core) else nearly.corrected(core, self._words, lambda word: bool(self._of(word)))
        if right and (scores := self._written(right, right)):
            return Found(self._ranked(scores), _in_languages(asked, right))
        scores, meant = self._titles.alike(core)
        if scores:
            return Found(self._ranked(scores), _in_languages(asked, meant))
        return Found(self._ranked(self._shares(core, SOMETHING, CHATTER)))

    @cached_property
    def everything(self) -> list[int]:
        """When nothing is asked for: what can be done here at once, then by code."""
        return sorted(range(len(self._entries)), key=lambda place: (not self._entries[place].is_online, place))

    def _ranked(self, scores: dict[int, float]) -> list[int]:
        def rank(place: int) -> tuple[float, bool, int, int, int]:
            entry = self._entries[place]
            return -round(scores[place]), not entry.is_online, entry.nearness, entry.length, place

        return sorted(scores, key=rank)

    def _written(self, folded: str, core: str) -> dict[int, float]:
        scores = {}
        for place, share in self._shares(core, ENOUGH).items():
            # of two that hold as much, the one with the shorter name says less besides
            scores[place] = SOME * share * (0.8 + 0.2 * min(1.0, len(core) / self._entries[place].length))
            scores[place] = max([scores[place], *(_fit(text, folded, core) for text in self._entries[place].texts)])
        return scores

    def _shares(self, core: str, enough: float, chatter: float = 1.0) -> dict[int, float]:
        """How much of the query each entry holds, by weight; only those that hold enough."""
        shares: dict[int, float] = defaultdict(float)
        held: dict[int, float] = defaultdict(float)
        total = 0.0
        for gram in grams(core):
            postings = self._of(gram)
            rarity = (self._rarest - math.log(len(postings) + 1)) * (1.0 if postings else chatter)
            total += rarity
            for place, weight in postings.items():
                shares[place] += rarity * weight
                held[place] += rarity
        return {place: shares[place] / total for place in shares if held[place] >= enough * total}

    def _of(self, gram: str) -> dict[int, float]:
        """The entries with the gram; a word also stands for those that it begins, as one that is still being typed."""
        exact = self._postings.get(gram, {})
        if not gram.isascii() or len(gram) < _WHOLE_WORD:
            return exact
        begun = dict(exact)
        for number in range(bisect_left(self._words, gram), len(self._words)):
            if not self._words[number].startswith(gram):
                break
            for place, weight in self._postings[self._words[number]].items():
                begun[place] = max(begun.get(place, 0.0), weight)
        return begun


def _fit(text: Text, folded: str, core: str) -> float:
    """How well the whole query stands in one text: it is it, begins it, is in it; 0 for anything less."""
    for words in (folded, core):
        if text.folded == words:
            return EXACT * text.weight
        if text.folded.startswith(words):
            return BEGINS * text.weight
    return CONTAINS * text.weight if core in text.folded else 0.0


def _in_languages(asked: str, text: str) -> dict[str, str] | None:
    """In each script; to a reader of English in the one that was asked in."""
    if not text:
        return None
    traditional = to_traditional(text) if is_chinese(text) else text
    is_traditional = to_simplified(asked) != asked
    return {"zh-Hans": text, "zh-Hant": traditional, "en": traditional if is_traditional else text}
