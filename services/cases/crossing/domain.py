"""Regions (GB/T 2260): whether one lies in another, and whether an item may be filed there. No database, no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

NONE: Final = "none"
CITY: Final = "city"
PROVINCE: Final = "province"
NATION: Final = "nation"
REGIONS: Final = "regions"

_COUNTY: Final = 6
_DIGITS: Final = {CITY: 4, PROVINCE: 2, NATION: 0}


def is_within(region: str, area: str) -> bool:
    """Whether a county lies in an area of any level; townships and villages are their county's hall's."""
    return region[:_COUNTY].startswith(significant(area))


def significant(area: str) -> str:
    """The digits that say what an area is: `51` of Sichuan, `5116` of a city, `511602` of a county."""
    county = area[:_COUNTY]
    while len(county) > 2 and county.endswith("00"):
        county = county[:-2]
    return county


def is_open_to(region: str, competent: str, cross_region: Mapping[str, Any]) -> bool:
    """Whether what the region `competent` decides may be filed at a hall in `region`."""
    if is_within(region, competent):
        return True
    scope = cross_region.get("scope", NONE)
    if scope == REGIONS:
        named: Sequence[str] = cross_region.get("regions", ())
        return any(is_within(region, each) for each in named)
    digits = _DIGITS.get(scope)
    return digits is not None and region[:digits] == competent[:digits]
