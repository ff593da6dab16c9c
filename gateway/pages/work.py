"""The worklist of a department, for its officers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway.pages.visits import Visited

router = APIRouter(prefix="/work")

A_PAGE = 20
SHOWN = ("all", "mine", "unassigned", "late", "escalated")


@router.get("")
async def show_work(
    visit: Visited,
    shown: Annotated[str, Query(max_length=20)] = SHOWN[0],
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The open cases that the department handles, what is due first at the top."""
    chosen = shown if shown in SHOWN else SHOWN[0]
    cases = await visit.call("cases.list_work", chosen, cursor, A_PAGE, visit.signed_in.name)
    # what has come to supervisors is in everybody's list, too: the filter is for who looks after it
    filters = SHOWN if "escalated" in cases else SHOWN[:-1]
    return visit.render("work.html", cases=cases, shown=chosen, filters=filters)
