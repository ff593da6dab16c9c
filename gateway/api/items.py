"""The catalogue of service items: public."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from gateway.api.callers import Catalogue
from gateway.api.item_schemas import Item, ItemList
from gateway.api.schemas import PROBLEMS, Cursor, Limit, Text
from gateway.catalogue import FRESH_SECONDS, ItemSearch

router = APIRouter(prefix="/items", tags=["items"], responses=PROBLEMS)

Filter = Annotated[Text | None, Query(max_length=64)]
_WORDS = "name in either script, English, pinyin or its initials, or a word that people use; the best match first"
_PUBLIC = {"Cache-Control": f"public, max-age={FRESH_SECONDS}"}


@router.get("", response_model=ItemList)
async def list_items(
    catalogue: Catalogue,
    q: Annotated[Text | None, Query(max_length=200, description=_WORDS)] = None,
    department: Filter = None,
    kind: Filter = None,
    audience: Annotated[Literal["individual", "organisation"] | None, Query()] = None,
    online: Annotated[bool | None, Query(description="whether a case can be filed here")] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    return _public(await catalogue.search(ItemSearch(q, department, kind, audience, online, cursor, limit)))


@router.get("/{code:code}", response_model=Item)
async def get_item(catalogue: Catalogue, code: str) -> Response:
    return _public(await catalogue.get(code))


def _public(content: Any) -> Response:
    return JSONResponse(content, headers=_PUBLIC)
