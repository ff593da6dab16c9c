"""Cases: mine as a citizen, my department's as an officer. `cases` decides who may see and do what."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import JSONResponse, Response

from contracts.access import STAFF_PURPOSES
from gateway.api.callers import CasesActor, Services
from gateway.api.schemas import (
    PROBLEMS,
    Case,
    CaseAction,
    CaseFiling,
    CaseList,
    Code,
    Cursor,
    History,
    Limit,
    Text,
)

router = APIRouter(prefix="/cases", tags=["cases"], responses=PROBLEMS)

IdempotencyKey = Annotated[
    Text | None,
    Header(min_length=1, max_length=255, description="the same key gives the same case, once"),
]
Purpose = Annotated[
    Code | None,
    Query(description=f"why staff look, for the citizen's access log: {', '.join(STAFF_PURPOSES)}"),
]


@router.post("", status_code=201, response_model=Case)
async def submit_case(
    services: Services, actor: CasesActor, filing: CaseFiling, idempotency_key: IdempotencyKey = None
) -> Response:
    # with a key of ours at least the gateway itself may send the filing again when the broker dies under it
    key = idempotency_key or str(uuid.uuid4())
    version = () if filing.item_version is None else (filing.item_version,)
    case = await services.call("cases.submit_case", filing.item, filing.form, key, *version, actor=actor)
    return JSONResponse(case, status_code=201, headers={"Location": f"/api/v1/cases/{case['number']}"})


@router.get("", response_model=CaseList)
async def list_cases(services: Services, actor: CasesActor, cursor: Cursor = None, limit: Limit = 20) -> Response:
    return JSONResponse(await services.call("cases.list_cases", cursor, limit, actor=actor))


@router.get("/{number:code}", response_model=Case)
async def get_case(services: Services, actor: CasesActor, number: str, purpose: Purpose = None) -> Response:
    return JSONResponse(await services.call("cases.get_case", *_asked(number, purpose), actor=actor))


@router.get("/{number:code}/history", response_model=History)
async def get_history(services: Services, actor: CasesActor, number: str, purpose: Purpose = None) -> Response:
    return JSONResponse(await services.call("cases.get_history", *_asked(number, purpose), actor=actor))


@router.post("/{number:code}/actions", response_model=Case)
async def act_on_case(services: Services, actor: CasesActor, number: str, action: CaseAction) -> Response:
    arguments = (number, action.action, action.note, action.form)
    return JSONResponse(await services.call("cases.act_on_case", *arguments, actor=actor))


def _asked(number: str, purpose: str | None) -> tuple[str, ...]:
    return (number,) if purpose is None else (number, purpose)
