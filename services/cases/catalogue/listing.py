"""The list of service items: searched, filtered, in pages, with what a further filter would leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from contracts.errors import InvalidInput
from services.cases.catalogue.model import Catalogue, Filter, ServiceItem
from services.cases.forms import fault
from services.cases.paging import decode, not_ours, page, require_limit

MOST_ASKED = 200
AUDIENCES = ("individual", "organisation")


def list_items(
    catalogue: Catalogue,
    q: str | None,
    wanted: Filter,
    cursor: str | None,
    limit: int | None,
    with_facets: bool = False,
) -> dict[str, Any]:
    """`{"items", "next", "total", "did_you_mean"}`, and `facets`: how many there are of each department, kind, ..."""
    size = require_limit(limit)
    if q is not None and len(q) > MOST_ASKED:
        raise InvalidInput([fault("/q", "maxLength", MOST_ASKED)])
    after = decode(cursor, catalogue.__contains__)
    search = catalogue.search(q)
    found = [item for item in search.items if wanted.matches(item)]
    begin = _behind(found, after) if after else 0
    listed = page(found[begin : begin + size + 1], size, key=lambda item: item.code, view=lambda item: item.listed)
    answer = listed | {"total": len(found), "did_you_mean": search.meant if found else None}
    return answer | ({"facets": _facets(search.items, wanted)} if with_facets else {})


def _behind(found: Sequence[ServiceItem], code: str) -> int:
    place = next((place for place, item in enumerate(found) if item.code == code), None)
    if place is None:
        raise not_ours()
    return place + 1


def _facets(items: Sequence[ServiceItem], wanted: Filter) -> dict[str, Any]:
    """Each counted as though it were not filtered yet itself."""
    of_department = [item for item in items if replace(wanted, department=None).matches(item)]
    names = {item.department: item.description.get("department_name") for item in of_department}
    departments = Counter(item.department for item in of_department)
    kinds = Counter(item.kind for item in items if replace(wanted, kind=None).matches(item))
    audiences = [item.description["audience"] for item in items if replace(wanted, audience=None).matches(item)]
    online = sum(replace(wanted, online=True).matches(item) for item in items)
    return {
        "department": [
            {"code": code, "name": names[code], "count": count}
            for code, count in sorted(departments.items(), key=lambda each: (-each[1], each[0]))
        ],
        "kind": [{"code": code, "count": count} for code, count in sorted(kinds.items())],
        "audience": [
            {"code": code, "count": sum(audience in (code, "any") for audience in audiences)} for code in AUDIENCES
        ],
        "online": online,
    }
