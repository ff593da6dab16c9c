"""The figures of a department's cases, as tables; bars beside them are for the eye only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.errors import InvalidInput
from gateway.pages.visits import Visit, Visited
from gateway.problems import sentence

router = APIRouter(prefix="/work/statistics")

MINUTE, DAY = 60, 86_400
BAR: Final = 100
"""Units of the longest bar."""

Month = Annotated[str | None, Query(max_length=10)]


@router.get("")
async def show_statistics(
    visit: Visited,
    since: Annotated[str | None, Query(alias="from", max_length=10)] = None,
    until: Month = None,
    department: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    asked = (department or None, None)
    faults: dict[str, str] = {}
    try:
        figures = await visit.call("cases.get_case_statistics", *asked, since or None, until or None)
    except InvalidInput as error:
        faults = {fault["pointer"].strip("/"): sentence(fault, visit.say) for fault in error.faults}
        figures = await visit.call("cases.get_case_statistics", *asked)
    said = {"from": since or figures["from"], "until": until or figures["until"]}
    return visit.render(
        "statistics.html",
        422 if faults else 200,
        figures=figures,
        faults=faults,
        said=said,
        department=department,
        bars={name: _bars(figures[name]) for name in ("months", "channels", "items")},
        percent=_percent,
        lasted=partial(_lasted, visit),
    )


def _bars(rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """How long each row's bar is, against the row with the most filings."""
    filed = [row["filed"] for row in rows]
    most = max(filed, default=0) or 1
    return [round(count * BAR / most) for count in filed]


def _lasted(visit: Visit, seconds: int | None) -> str:
    """In the unit that it is easily read in."""
    if seconds is None:
        return "–"
    for words, length, most in (("figures.in-minutes", MINUTE, 60), ("figures.in-hours", 60 * MINUTE, 48)):
        if seconds < most * length:
            # nothing is answered in no time at all
            return visit.say(words, count=max(1, round(seconds / length)))
    return visit.say("figures.in-days", count=round(seconds / DAY))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"
