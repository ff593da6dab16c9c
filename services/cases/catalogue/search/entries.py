"""What of an item is searched, made once for each of its versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.cases.catalogue.search.words import fold, fold_code, initials, is_chinese, syllables

NAME: Final = 1.0
KEYWORD: Final = 0.9
MAIN_ITEM: Final = 0.4
SUMMARY: Final = 0.35
DEPARTMENT: Final = 0.3

_LEVELS: Final = ("village", "township", "county", "municipal", "provincial", "national")


@dataclass(frozen=True, slots=True)
class Text:
    """One text: as it is written, folded, and how much it says about its item."""

    written: str
    folded: str
    weight: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """A name or keyword as it is spoken. `starts` is where each syllable begins in `joined`."""

    text: Text
    joined: str
    starts: tuple[int, ...]
    initials: str


@dataclass(frozen=True, slots=True)
class Entry:
    code: str
    texts: tuple[Text, ...]
    spoken: tuple[Spoken, ...]
    is_online: bool
    nearness: int
    """Lower is nearer to the citizen."""
    length: int


def entry_of(description: Mapping[str, Any]) -> Entry:
    texts = tuple(dict.fromkeys(_texts(description)))
    return Entry(
        code=description["code"],
        texts=texts,
        spoken=tuple(_spoken(text) for text in texts if text.weight >= KEYWORD and is_chinese(text.folded)),
        is_online=bool(description["online"]),
        nearness=_LEVELS.index(description["level"]),
        length=len(description["name"]["zh-Hans"]),
    )


def _texts(description: Mapping[str, Any]) -> Iterator[Text]:
    yield from _folded(description["name"], NAME)
    for code in filter(None, (description["code"], description.get("official_code"))):
        yield Text(code, fold_code(code), NAME)
    for words in description.get("keywords", {}).values():
        for word in words:
            yield Text(word, fold(word), KEYWORD)
    yield from _folded(description.get("main_item", {}), MAIN_ITEM)
    yield from _folded(description.get("summary", {}), SUMMARY)
    yield from _folded(description.get("department_name", {}), DEPARTMENT)


def _folded(text: Mapping[str, str], weight: float) -> Iterator[Text]:
    """Both scripts are one when folded, and then one text; a word that only one of them uses is another."""
    seen = set()
    for language in ("zh-Hans", "zh-Hant", "en"):
        folded = fold(text.get(language, ""))
        if folded and folded not in seen:
            seen.add(folded)
            yield Text(text[language], folded, weight)


def _spoken(text: Text) -> Spoken:
    spoken = syllables(text.folded.replace(" ", ""))
    starts, place = [], 0
    for syllable in spoken:
        starts.append(place)
        place += len(syllable)
    return Spoken(text, "".join(spoken), tuple(starts), initials(spoken))
