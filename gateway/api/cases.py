"""Cases: mine as a citizen, my department's as an officer. `cases` decides who may see and do what."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import JSONResponse, Response

from contracts.access import STAFF_PURPOSES
from gateway.api import versions
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
IfMatch = Annotated[
    Text | None,
    Header(max_length=500, description="the `ETag` of the case as you read it: 412 if it has changed since"),
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
    version: tuple[Any, ...] = () if filing.item_version is None else (filing.item_version,)
    if filing.consents:
        version = (filing.item_version, False, filing.consents)
    case = await services.call("cases.submit_case", filing.item, filing.form, key, *version, actor=actor)
    headers = {"Location": f"/api/v1/cases/{case['number']}"} | versions.etag(case)
    return JSONResponse(case, status_code=201, headers=headers)


@router.get("", response_model=CaseList)
async def list_cases(services: Services, actor: CasesActor, cursor: Cursor = None, limit: Limit = 20) -> Response:
    return JSONResponse(await services.call("cases.list_cases", cursor, limit, actor=actor))


@router.get("/{number:code}", response_model=Case)
async def get_case(services: Services, actor: CasesActor, number: str, purpose: Purpose = None) -> Response:
    case = await services.call("cases.get_case", *_asked(number, purpose), actor=actor)
    return JSONResponse(case, headers=versions.etag(case))


@router.get("/{number:code}/history", response_model=History)
async def get_history(services: Services, actor: CasesActor, number: str, purpose: Purpose = None) -> Response:
    return JSONResponse(await services.call("cases.get_history", *_asked(number, purpose), actor=actor))


@router.post("/{number:code}/actions", response_model=Case)
async def act_on_case(
    services: Services, actor: CasesActor, number: str, action: CaseAction, if_match: IfMatch = None
) -> Response:
    arguments = (number, action.action, action.note, action.form)
    case = await services.call("cases.act_on_case", *arguments, *_besides(action, if_match), actor=actor)
    return JSONResponse(case, headers=versions.etag(case))


def _besides(action: CaseAction, if_match: str | None) -> tuple[Any, ...]:
    """What a service of the release before does not take is sent only if it is there."""
    read = versions.named_in(if_match)
    if read is not None:
        return (action.details(), read)
    details = action.details()
    return () if details is None else (details,)


def _asked(number: str, purpose: str | None) -> tuple[str, ...]:
    return (number,) if purpose is None else (number, purpose)
