"""Who looked at the account's data."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.schemas import PROBLEMS, AccessLog, Code, Cursor, Limit

router = APIRouter(tags=["access log"], responses=PROBLEMS)

Number = Annotated[Code | None, Query(description="of a case: only looks at it")]
Subject = Annotated[Code | None, Query(description="of another account (auditors only, and the look is an entry too)")]


@router.get("/access-log", response_model=AccessLog)
async def list_access_log(
    services: Services,
    actor: CasesActor,
    number: Number = None,
    subject: Subject = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """Every look at the account's data by somebody else, the newest first."""
    return JSONResponse(await services.call("identity.list_access_log", subject, number, cursor, limit, actor=actor))
