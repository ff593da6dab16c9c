"""Names as they are spoken: pinyin, its initials, and characters of the same sound, as one mistypes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.cases.catalogue.search.entries import Entry, Spoken
from services.cases.catalogue.search.words import is_chinese, syllables

SPOKEN: Final = 40.0


@dataclass(frozen=True, slots=True)
class Alike:
    """Scores by the entries' places; `meant` holds the characters that the best match has in place of the query's."""

    scores: dict[int, float]
    meant: str = ""


def spoken_alike(entries: Sequence[Entry], core: str) -> Alike:
    letters = core.replace(" ", "")
    is_whole = is_chinese(letters)
    if len(letters) < 2 or letters.isdecimal():
        return Alike({})
    sought = "".join(syllables(letters)) if is_whole else letters
    scores: dict[int, float] = {}
    best, meant = 0.0, ""
    for place, entry in enumerate(entries):
        for spoken in entry.spoken:
            score, at = _sounds(spoken, sought, is_whole)
            if score > scores.get(place, 0.0):
                scores[place] = score
                if score > best:
                    best, meant = score, _same_sound(spoken, at, len(letters))
    return Alike(scores, meant if is_whole else "")


def _sounds(spoken: Spoken, sought: str, is_whole: bool) -> tuple[float, int]:
    """How well, and from which syllable. `is_whole`: the query was Chinese, no syllable of it is still being typed."""
    weight = SPOKEN * spoken.text.weight
    place = spoken.joined.find(sought)
    while place >= 0:
        end = place + len(sought)
        if place in spoken.starts and (not is_whole or end in spoken.starts or end == len(spoken.joined)):
            return weight * (1.0 if place == 0 else 0.9), spoken.starts.index(place)
        place = spoken.joined.find(sought, place + 1)
    return (0.0 if is_whole else weight * _begins(spoken.initials, sought)), 0


def _begins(initials: str, sought: str) -> float:
    if initials.startswith(sought):
        return 0.8 if initials == sought else 0.7
    return 0.5 if len(sought) > 2 and sought in initials else 0.0


def _same_sound(spoken: Spoken, at: int, count: int) -> str:
    letters = spoken.text.folded.replace(" ", "")
    return letters[at : at + count] if len(letters) == len(spoken.starts) else spoken.text.written
