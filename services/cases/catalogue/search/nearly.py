"""What is nearly so written: words a letter or two away, titles with a character wrong, missing or in another place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from services.cases.catalogue.search.entries import Entry, Spoken
from services.cases.catalogue.search.words import is_chinese

NEARLY: Final = 30.0
_MOST: Final = 200
_LEAST_WRITTEN, _LEAST_SPOKEN = 66.0, 85.0
_SHORT_WORD, _LONG_WORD = 4, 8


def corrected(core: str, words: Sequence[str], is_known: Callable[[str], bool]) -> str:
    """Each word as the nearest of `words`: one letter off, two in a long one; empty if one is near none."""
    asked, right = core.split(), []
    for word in asked:
        if len(word) < _SHORT_WORD or is_known(word):
            right.append(word)
            continue
        most = 1 if len(word) < _LONG_WORD else 2
        near = process.extractOne(word, words, scorer=OSA.distance, score_cutoff=most, processor=None)
        if near is None:
            return ""
        right.append(near[0])
    return " ".join(right) if right != asked else ""


@dataclass(frozen=True, slots=True)
class Titles:
    """Chinese names and keywords, as they are written and as they are spoken, each with the place of its entry."""

    places: list[int]
    spoken: list[Spoken]
    written: list[str]
    joined: list[str]

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Titles:
        titles = [(place, spoken) for place, entry in enumerate(entries) for spoken in entry.spoken]
        every = [spoken for _, spoken in titles]
        return cls(
            [place for place, _ in titles],
            every,
            [spoken.text.folded.replace(" ", "") for spoken in every],
            [spoken.joined for spoken in every],
        )

    def within(self, core: str) -> dict[int, float]:
        """Scores of the entries whose whole title stands in what was asked for."""
        letters = core.replace(" ", "")
        scores: dict[int, float] = {}
        for place, title, spoken in zip(self.places, self.written, self.spoken, strict=True):
            if title in letters:
                score = NEARLY * spoken.text.weight * len(title) / len(letters)
                scores[place] = max(scores.get(place, 0.0), score)
        return scores

    def alike(self, core: str) -> tuple[dict[int, float], str]:
        """Scores by the entries' places, and the title that is most alike."""
        letters = core.replace(" ", "")
        if is_chinese(letters):
            return self._alike(letters, self.written, _LEAST_WRITTEN) if len(letters) > 2 else ({}, "")
        return self._alike(letters, self.joined, _LEAST_SPOKEN) if len(letters) > 4 and letters.isalpha() else ({}, "")

    def _alike(self, letters: str, titles: list[str], least: float) -> tuple[dict[int, float], str]:
        found = process.extract(
            letters, titles, scorer=fuzz.partial_ratio, score_cutoff=least, limit=_MOST, processor=None
        )
        scores: dict[int, float] = {}
        best, meant = 0.0, ""
        for title, likeness, number in found:
            # one that is much shorter than what was asked for is a part of it by chance
            if len(title) + 1 < len(letters):
                continue
            place, text = self.places[number], self.spoken[number].text
            score = NEARLY * likeness / 100 * text.weight
            scores[place] = max(scores.get(place, 0.0), score)
            if score > best or (score == best and len(text.written) < len(meant)):
                best, meant = score, text.written
        return scores, meant
