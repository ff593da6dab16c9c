"""Is the process alive, can it do its work, and what does it count."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def answer_alive() -> Response:
    return JSONResponse({"healthy": True})


@router.get("/readyz")
async def answer_ready(request: Request) -> Response:
    ready = await request.app.state.rpc.can_reach_services()
    return JSONResponse({"healthy": ready}, status_code=200 if ready else 503)


@router.get("/metrics")
async def answer_metrics(request: Request) -> Response:
    if not request.app.state.settings.shows_metrics_at_the_door:
        raise HTTPException(404)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
