"""The inbox of an account, and how it wants to be told."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.schemas import PROBLEMS, Cursor, Inbox, Limit, Preferences

router = APIRouter(tags=["inbox"], responses=PROBLEMS)


@router.get("/inbox", response_model=Inbox)
async def list_inbox(services: Services, actor: CasesActor, cursor: Cursor = None, limit: Limit = 20) -> Response:
    return JSONResponse(await services.call("notify.list_inbox", cursor, limit, actor=actor))


@router.post("/inbox/{entry:code}/read", status_code=204)
async def mark_read(services: Services, actor: CasesActor, entry: str) -> Response:
    await services.call("notify.mark_read", entry, actor=actor)
    return Response(status_code=204)


@router.get("/preferences", response_model=Preferences)
async def get_preferences(services: Services, actor: CasesActor) -> Response:
    return JSONResponse(await services.call("notify.get_preferences", actor=actor))


@router.put("/preferences", response_model=Preferences)
async def set_preferences(services: Services, actor: CasesActor, preferences: Preferences) -> Response:
    chosen = preferences.model_dump()
    saved = await services.call("notify.set_preferences", chosen, actor=actor)
    return JSONResponse(saved or chosen)
