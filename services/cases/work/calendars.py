"""Which days are worked, region by region: the mainland's with its make-up days, those of Hong Kong, Macao and Taiwan.

The mainland's days off are announced year by year, in autumn. For a year that the library does not have yet, the days
that the law names and the weekends stand in; such a date is tentative and is computed again once the year is known, by
a newer library or by the override file, for what is announced in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import chinese_calendar
import holidays
import yaml

from services.cases.work.clock import WEEKDAYS, Calendar

MAINLAND: Final = "CN"

_ELSEWHERE: Final = {"71": "TW", "81": "HK", "82": "MO"}
"""GB/T 2260 -> ISO 3166-1."""

_SATURDAY: Final = 5
_MOST_YEARS: Final = 20


class Calendars(Protocol):
    def of(self, region: str) -> Calendar: ...

    def known_until(self, today: date) -> date:
        """The first day of the first year, from this one on, that is not known everywhere."""


class Everywhere:
    """One calendar for all regions."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def of(self, region: str) -> Calendar:
        return self._calendar

    def known_until(self, today: date) -> date:
        return _known_until(self._calendar, today)


WEEKDAYS_EVERYWHERE: Final = Everywhere(WEEKDAYS)


@dataclass(frozen=True)
class Override:
    """Days that were announced: `off`, `working`, and the `years` that are thereby known in whole."""

    years: frozenset[int] = frozenset()
    off: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()


@dataclass(frozen=True)
class Mainland:
    override: Override = field(default_factory=Override)

    def knows(self, year: int) -> bool:
        return year in self.override.years or _is_published(year)

    def is_working(self, day: date) -> bool:
        if day in self.override.off or day in self.override.working:
            return day in self.override.working
        if _is_published(day.year):
            return bool(chinese_calendar.is_workday(day))
        return day.weekday() < _SATURDAY and day not in _public_holidays(MAINLAND)


@dataclass(frozen=True)
class Elsewhere:
    """Their laws name the days, so every year is known; single days may still be announced."""

    country: str
    override: Override = field(default_factory=Override)

    def knows(self, year: int) -> bool:
        return True

    def is_working(self, day: date) -> bool:
        if day in self.override.off or day in self.override.working:
            return day in self.override.working
        return bool(_public_holidays(self.country).is_working_day(day))


class Published:
    """By region, as the libraries and the override file have it."""

    def __init__(self, file: Path | None = None) -> None:
        overrides = read_overrides(file)
        mainland = overrides.get(MAINLAND, Override())
        self._mainland = Mainland(mainland)
        self._elsewhere = {
            prefix: Elsewhere(country, overrides.get(country, Override())) for prefix, country in _ELSEWHERE.items()
        }

    def of(self, region: str) -> Calendar:
        return self._elsewhere.get(region[:2], self._mainland)

    def known_until(self, today: date) -> date:
        return _known_until(self._mainland, today)


def _known_until(calendar: Calendar, today: date) -> date:
    years = range(today.year, today.year + _MOST_YEARS)
    return date(next((year for year in years if not calendar.knows(year)), years.stop), 1, 1)


def read_overrides(file: Path | None) -> dict[str, Override]:
    """Of a YAML file `{CN: {years: [2027], holidays: [2027-02-05], working: [2027-02-07]}}`, keys as in ISO 3166-1.

    Raise `ValueError` for what is no such file: a process that starts with a wrong calendar would promise wrong dates.
    """
    if file is None:
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from error
    known = {MAINLAND, *_ELSEWHERE.values()}
    if not isinstance(content, dict) or not set(content) <= known:
        raise ValueError(f"{file}: the keys are no others than {', '.join(sorted(known))}")
    return {country: _override(part, f"{file}: {country}") for country, part in content.items()}


def _override(part: Any, place: str) -> Override:
    if not isinstance(part, Mapping) or not set(part) <= {"years", "holidays", "working"}:
        raise ValueError(f"{place} has `years`, `holidays` and `working`, no more")
    years, off, working = (part.get(name, []) for name in ("years", "holidays", "working"))
    if not all(type(year) is int for year in years):
        raise ValueError(f"{place}: years are whole numbers")
    override = Override(frozenset(years), _days(off, place), _days(working, place))
    both = override.off & override.working
    if both:
        raise ValueError(f"{place}: {min(both)} is both off and working")
    return override


def _days(days: Iterable[Any], place: str) -> frozenset[date]:
    wrong = [day for day in days if type(day) is not date]
    if wrong:
        raise ValueError(f"{place}: {wrong[0]} is no day, such as 2027-02-05")
    return frozenset(days)


@lru_cache(maxsize=64)
def _is_published(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@lru_cache(maxsize=8)
def _public_holidays(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)
