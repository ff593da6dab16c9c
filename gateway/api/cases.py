"""Cases: mine as a citizen, my department's as an officer. `cases` decides who may see and do what."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from contracts.access import STAFF_PURPOSES
from gateway import case_rows as rows
from gateway import person_cases
from gateway.api import versions
from gateway.api.callers import CasesActor, Services
from gateway.api.case_filters import CasesAsked
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
    PersonCases,
    PersonSearch,
    Text,
)
from gateway.problems import speak

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
    said: tuple[Any, ...] = () if filing.item_version is None else (filing.item_version,)
    if filing.consents or filing.documents is not None:
        said = (filing.item_version, filing.documents is not None, filing.consents)
    if filing.documents is not None:
        said = (*said, filing.documents)
    case = await services.call("cases.submit_case", filing.item, filing.form, key, *said, actor=actor)
    headers = {"Location": f"/api/v1/cases/{case['number']}"} | versions.etag(case)
    return JSONResponse(case, status_code=201, headers=headers)


@router.get("", response_model=CaseList)
async def list_cases(
    services: Services, actor: CasesActor, asked: CasesAsked, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    # a service of the release before takes no filters
    arguments = (cursor, limit, dict(asked)) if asked else (cursor, limit)
    return JSONResponse(await services.call("cases.list_cases", *arguments, actor=actor))


@router.post("/search", response_model=PersonCases)
async def search_cases(services: Services, actor: CasesActor, wanted: PersonSearch) -> Response:
    """For officers and clerks: the newest cases, a hundred at most, of whoever has this ID number confirmed, as far as
    they may see them. `items` is empty for a number that nobody has, too. A read with a body, for addresses are logged;
    each search is in the person's access log.
    """
    found = await person_cases.find(services, actor, wanted.id_number)
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


@router.get("/export.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def export_cases(
    request: Request, services: Services, actor: CasesActor, asked: CasesAsked, cursor: Cursor = None
) -> Response:
    """For officers and operators: the list with its filters as a file for spreadsheets, up to 50,000 rows.

    Where there are more, `Link` with `rel="next"` leads to the file that goes on. No personal data is in it. Programs
    read the list itself; here the number begins with a tab, so that it is not taken for one, and what a spreadsheet
    would compute with an apostrophe.
    """
    end = (await services.call("cases.get_end_of_case_rows", dict(asked), cursor, actor=actor))["next"]
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="cases.csv"'}
    if end is not None:
        following = urlencode({**asked, "cursor": end})
        headers["Link"] = f'</api/v1/cases/export.csv?{following}>; rel="next"'
    lines = rows.written(services, actor, asked, speak(request), cursor, end)
    return StreamingResponse(lines, media_type=rows.MEDIA_TYPE, headers=headers)


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
