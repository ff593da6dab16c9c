"""Halls, the offices that are competent, and what regions are called: a tenant's data, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from stdnum import numdb

from services.cases.catalogue.model import LANGUAGES
from services.cases.catalogue.script import to_traditional
from services.cases.crossing.domain import significant

SHIPPED_FILE: Final = Path(__file__).parent / "places.yaml"
_REGION: Final = re.compile("[1-9][0-9]{5}")
_SINCE: Final = re.compile(r"^\[[0-9]*-[0-9]*\]")
_MOST: Final = 10_000


class BrokenPlaces(ValueError):
    """The file of halls and offices says what cannot be."""


@dataclass(frozen=True, slots=True)
class Hall:
    code: str
    region: str
    name: dict[str, str]


@dataclass(frozen=True, slots=True)
class Office:
    """A department that is competent in a region."""

    department: str
    region: str


@dataclass(frozen=True)
class Places:
    halls: dict[str, Hall] = field(default_factory=dict)
    offices: tuple[Office, ...] = ()
    names: dict[str, dict[str, str]] = field(default_factory=dict)

    def region_of(self, hall: str | None) -> str | None:
        """`None` of a hall that nobody has entered: nothing is known to be another region then."""
        known = self.halls.get(hall or "")
        return known.region if known else None

    def halls_in(self, region: str) -> list[Hall]:
        return [hall for hall in self.halls.values() if hall.region == region[:6]]

    def halls_without(self, region: str) -> list[str]:
        """Codes of the halls whose officers see no case of this region."""
        return [hall.code for hall in self.halls.values() if not region.startswith(significant(hall.region))]

    def name_of(self, region: str) -> dict[str, str]:
        """As the tenant says, else as the national list of codes does; the code of one that is in neither."""
        return self.names.get(region[:6]) or _listed(region[:6])


EVERYWHERE_ONE_REGION: Final = Places()
"""Where no hall is known to be in another region, and a case may be transferred nowhere."""


@cache
def read(file: Path | None = None) -> Places:
    """The shipped places, or a tenant's own. Raise `BrokenPlaces`."""
    path = file or SHIPPED_FILE
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        halls = {code: Hall(code, _region(each["region"]), _name(each["name"])) for code, each in raw["halls"].items()}
        offices = tuple(Office(str(each["department"]), _region(each["region"])) for each in raw["offices"])
        names = {_region(code): _name(each) for code, each in raw.get("regions", {}).items()}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BrokenPlaces(f"{path}: {type(error).__name__}: {error}") from error
    if len(halls) > _MOST or len(offices) > _MOST:
        raise BrokenPlaces(f"{path}: more than {_MOST:,} halls or offices")
    return Places(halls, offices, names)


def _region(code: Any) -> str:
    if not isinstance(code, str) or not _REGION.fullmatch(code):
        raise BrokenPlaces(f"{code!r} is no region: six digits in quotation marks (GB/T 2260)")
    return code


def _name(name: Any) -> dict[str, str]:
    if not isinstance(name, dict) or set(name) != set(LANGUAGES):
        raise BrokenPlaces(f"{name!r} is not a name in {', '.join(LANGUAGES)}")
    return dict(name)


@cache
def _listed(region: str) -> dict[str, str]:
    found = [str(part.get("province") or part.get("county")) for _, part in numdb.get("cn/loc").info(region) if part]
    name = "".join(dict.fromkeys(_SINCE.sub("", part) for part in found)) or region
    return {"zh-Hans": name, "zh-Hant": to_traditional(name)}
