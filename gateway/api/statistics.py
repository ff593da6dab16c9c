"""Figures of a department's cases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.schemas import PROBLEMS, Text
from gateway.api.statistics_schemas import CaseStatistics

router = APIRouter(prefix="/statistics", tags=["cases"], responses=PROBLEMS)

Month = Annotated[Text | None, Query(max_length=10, description="a month, `2026-11`; it is inside")]
Since = Annotated[
    Text | None, Query(alias="from", max_length=10, description="a month; without it, twelve months in all")
]
Code = Annotated[Text | None, Query(max_length=64)]


@router.get("/cases", response_model=CaseStatistics)
async def get_case_statistics(
    services: Services,
    actor: CasesActor,
    department: Code = None,
    item: Code = None,
    since: Since = None,
    until: Month = None,
) -> Response:
    """For a department's officers and programs; for operators of any department, or of all together.

    `now` is as it stands; what happened in a month is counted within seconds of its event.
    """
    figures = await services.call("cases.get_case_statistics", department, item, since, until, actor=actor)
    return JSONResponse(figures, headers={"Cache-Control": "no-store"})
