"""Home: the catalogue's search, and the latest cases of who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from gateway.catalogue import ItemSearch
from gateway.pages.visits import Visited

router = APIRouter()

LATEST = 3
ITEMS_A_PAGE = 20
AUDIENCES = ("individual", "organisation")

Part = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a visitor looks for, as the address says it; a part that is none of ours is as though it were not there."""

    q: str
    department: str
    kind: str
    audience: str
    online: str
    cursor: str | None

    @property
    def search(self) -> ItemSearch:
        return ItemSearch(
            q=self.q or None,
            department=self.department or None,
            kind=self.kind or None,
            audience=self.audience or None,
            online=True if self.online else None,
            cursor=self.cursor,
            limit=ITEMS_A_PAGE,
            facets=True,
        )

    @property
    def chosen(self) -> dict[str, str]:
        return {"department": self.department, "kind": self.kind, "audience": self.audience, "online": self.online}

    @property
    def address(self) -> str:
        return urlencode({name: value for name, value in {"q": self.q, **self.chosen}.items() if value})


def looked_for(
    q: Annotated[str, Query(max_length=200)] = "",
    department: Part = "",
    kind: Part = "",
    audience: Part = "",
    online: Part = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Looked:
    return Looked(
        q=_clean(q),
        department=_clean(department),
        kind=_clean(kind),
        audience=audience if audience in AUDIENCES else "",
        online="1" if online == "1" else "",
        cursor=cursor,
    )


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()


LookedFor = Annotated[Looked, Depends(looked_for)]


@router.get("/")
async def show_home(visit: Visited, looked: LookedFor) -> Response:
    items = await visit.items.search(looked.search)
    latest = await visit.call("cases.list_cases", None, LATEST) if visit.visitor else {"items": []}
    return visit.render("home.html", looked=looked, items=items, cases=latest["items"])
