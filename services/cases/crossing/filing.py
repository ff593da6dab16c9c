"""Whether an item may be filed at this counter, and where else it may."""

from __future__ import annotations

from contracts.errors import Fault, InvalidInput, NotFiledHere
from services.cases.catalogue.model import ServiceItem
from services.cases.crossing import domain
from services.cases.crossing.places import Office, Places
from services.cases.work.case import Case


def require_office(case: Case, places: Places) -> None:
    """Raise `InvalidInput` if no such department is competent in that region."""
    if Office(case.department, case.region) not in places.offices:
        known = [f"{each.department} {each.region}" for each in places.offices]
        raise InvalidInput([Fault(pointer="/to", rule="enum", value=known)])


def is_foreign(item: ServiceItem, hall: str | None, places: Places) -> bool:
    """Whether what is filed at the hall's counter is decided in another region.

    Raise `NotFiledHere`, which says where to go, if the item is not open to that.
    """
    region = places.region_of(hall)
    if region is None or domain.is_within(region, item.region):
        return False
    if not domain.is_open_to(region, item.region, item.description.get("cross_region", {})):
        raise NotFiledHere(
            item.code,
            item.department,
            item.region,
            places.name_of(item.region),
            [hall.name for hall in places.halls_in(item.region)],
        )
    return True
