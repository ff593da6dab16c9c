"""The rating of a closed case, once; and the public figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.schemas import PROBLEMS, Rating, RatingGiving, RatingStatistics, Text

router = APIRouter(tags=["ratings"], responses=PROBLEMS)

Filter = Annotated[Text | None, Query(max_length=64)]


@router.post("/cases/{number:code}/rating", status_code=201, response_model=Rating)
async def rate_case(services: Services, actor: CasesActor, number: str, rating: RatingGiving) -> Response:
    # services do not call each other: the gateway shows `rating` the case as this actor may see it
    case = await services.call("cases.get_case", number, actor=actor)
    given = await services.call("rating.rate_case", case, rating.score, rating.comment, actor=actor)
    return JSONResponse(given, status_code=201)


@router.get("/cases/{number:code}/rating", response_model=Rating)
async def get_rating(services: Services, actor: CasesActor, number: str) -> Response:
    # who may not see the case may not see its rating
    await services.call("cases.get_case", number, actor=actor)
    return JSONResponse(await services.call("rating.get_rating", number, actor=actor))


@router.get("/statistics/ratings", response_model=RatingStatistics)
async def get_statistics(services: Services, item: Filter = None, department: Filter = None) -> Response:
    figures = await services.call("rating.get_statistics", item, department)
    return JSONResponse(figures, headers={"Cache-Control": "public, max-age=10"})
