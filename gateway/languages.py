"""The three languages: which one a reader wants, and every sentence in each of them (`locales/<language>/*.po`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.messages.pofile import read_po

DEFAULT = "zh-Hans"
LANGUAGES = {"zh-Hans": "简体中文", "zh-Hant": "繁體中文", "en": "English"}
HEADER_READ = 200
"""No browser wishes for more languages than fit in here; the rest is somebody's attempt to keep us busy."""

_FOLDER = Path(__file__).parent / "locales"
_LOCALES = {"zh-Hans": "zh_Hans_CN", "zh-Hant": "zh_Hant_HK", "en": "en_GB"}
_TRADITIONAL = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


def is_language(tag: object) -> bool:
    return tag in LANGUAGES


def preferred(accept_language: str) -> str:
    """The best of the three for an `Accept-Language` header (RFC 9110, section 12.5.4). Only its beginning counts."""
    return _best(accept_language[:HEADER_READ])


def first_spoken(ui_locales: str) -> str | None:
    """The first of the three among tags in order of preference (OpenID Connect Core, section 3.1.2.1)."""
    languages = (_language_of(tag.lower()) for tag in ui_locales.split())
    return next((language for language in languages if language), None)


@lru_cache(maxsize=512)
def _best(accept_language: str) -> str:
    wishes = sorted((_wish(part) for part in accept_language.split(",")), key=lambda wish: -wish[1])
    for tag, quality in wishes:
        language = _language_of(tag)
        if language and quality > 0:
            return language
    return DEFAULT


def _wish(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    try:
        quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
    except ValueError:
        quality = 0.0
    return tag.strip().lower(), quality


def _language_of(tag: str) -> str | None:
    if tag.startswith(_TRADITIONAL):
        return "zh-Hant"
    if tag == "zh" or tag.startswith("zh-"):
        return "zh-Hans"
    if tag == "en" or tag.startswith("en-"):
        return "en"
    return None


class Catalogue:
    """The sentences of one language, by key. A missing key is a fault that a test finds, so it raises here."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = Locale.parse(_LOCALES[language])
        self._sentences: dict[str, str] = {}
        for path in sorted((_FOLDER / language).glob("*.po")):
            self._add(path)

    def _add(self, path: Path) -> None:
        with path.open("rb") as file:
            sentences = {str(message.id): str(message.string) for message in read_po(file) if message.id}
        if twice := self._sentences.keys() & sentences.keys():
            raise ValueError(f"{path.name} of {self.language} says again: {', '.join(sorted(twice))}")
        self._sentences |= sentences

    def __call__(self, key: str, **values: Any) -> str:
        sentence = self._sentences[key]
        return sentence.format(**values) if values else sentence

    def __contains__(self, key: str) -> bool:
        return key in self._sentences

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._sentences)

    def pick(self, text: Mapping[str, str] | str | None) -> str:
        """The reader's language out of a text that a service gave in three."""
        if text is None or isinstance(text, str):
            return text or ""
        return text.get(self.language) or text.get(DEFAULT) or next(iter(text.values()), "")

    def word(self, family: str, value: Any) -> str:
        """The word for a code such as a status; a code that is newer than this catalogue is shown as it is."""
        key = f"{family}.{value}"
        return self._sentences.get(key, str(value))

    def moment(self, iso: str, zone: ZoneInfo) -> str:
        local = datetime.fromisoformat(iso).astimezone(zone)
        return f"{format_date(local, 'medium', locale=self._locale)} {format_time(local, 'short', locale=self._locale)}"

    def day(self, iso: str) -> str:
        """A day of the calendar, which is the same in every zone."""
        return format_date(date.fromisoformat(iso), "long", locale=self._locale)


CATALOGUES = {language: Catalogue(language) for language in LANGUAGES}
