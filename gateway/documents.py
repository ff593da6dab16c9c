"""What other programs read about us: the events. (The API's own document is FastAPI's.)"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from contracts import asyncapi

router = APIRouter(include_in_schema=False)


@router.get("/api/asyncapi.json")
async def answer_events(request: Request) -> JSONResponse:
    return JSONResponse(_events(request.app.state.settings.base_url))


@cache
def _events(base_url: str) -> dict[str, Any]:
    return asyncapi.document(version("onehall"), base_url)
