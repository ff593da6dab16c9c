"""Progress of a case without signing in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from gateway.api.callers import Services
from gateway.api.progress_schemas import Progress
from gateway.api.schemas import PROBLEMS, Text

router = APIRouter(prefix="/progress", tags=["cases"], responses=PROBLEMS)

NOT_KEPT = {"Cache-Control": "no-store"}

ProgressCode = Annotated[
    Text, Query(max_length=100, description="`progress_code` of the case, as its applicant reads it; typed in any way")
]


@router.get("/{number:code}", response_model=Progress)
async def get_progress(services: Services, number: str, code: ProgressCode = "") -> Response:
    """States and days, no personal data. Any refusal is the same 404; too many tries are 429.

    No token. The code is in the query, which this door neither logs nor counts: a proxy before it must not, either.
    """
    return JSONResponse(await services.call("cases.get_progress", number, code), headers=NOT_KEPT)
