"""Home: the catalogue's search, and the latest cases of who is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway.pages.visits import Visited

router = APIRouter()

LATEST = 3
ITEMS_A_PAGE = 20


@router.get("/")
async def show_home(
    visit: Visited,
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    words = q.replace("\x00", "").strip()
    items = await visit.items.search(words or None, None, None, cursor, ITEMS_A_PAGE)
    latest = await visit.call("cases.list_cases", None, LATEST) if visit.visitor else {"items": []}
    return visit.render("home.html", q=words, items=items, cases=latest["items"])
