"""The catalogue of service items: public."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from gateway.api.callers import Catalogue
from gateway.api.schemas import PROBLEMS, Cursor, Item, ItemList, Limit, Text

router = APIRouter(prefix="/items", tags=["items"], responses=PROBLEMS)

Filter = Annotated[Text | None, Query(max_length=64)]
_PUBLIC = {"Cache-Control": "public, max-age=60"}


@router.get("", response_model=ItemList)
async def list_items(
    catalogue: Catalogue,
    q: Annotated[Text | None, Query(max_length=200, description="words of the name or summary")] = None,
    department: Filter = None,
    kind: Filter = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    return _public(await catalogue.search(q, department, kind, cursor, limit))


@router.get("/{code:code}", response_model=Item)
async def get_item(catalogue: Catalogue, code: str) -> Response:
    return _public(await catalogue.get(code))


def _public(content: Any) -> Response:
    return JSONResponse(content, headers=_PUBLIC)
