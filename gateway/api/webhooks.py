"""Webhooks of subscriptions: how their endpoints answer, what was given up, and their secrets."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import Services
from gateway.api.schemas import PROBLEMS, Cursor, Limit
from gateway.api.subscriptions import Subscriber
from gateway.api.webhook_schemas import (
    AttemptList,
    Delivery,
    DeliveryList,
    DeliveryStatus,
    Secret,
    TestEvent,
    Webhook,
)

router = APIRouter(prefix="/subscriptions/{name:code}", tags=["webhooks"], responses=PROBLEMS)


@router.get("/webhook", response_model=Webhook)
async def get_webhook(services: Services, actor: Subscriber, name: str) -> Response:
    return JSONResponse(await services.call("cases.get_webhook", name, actor=actor))


@router.get("/attempts", response_model=AttemptList)
async def list_attempts(
    services: Services, actor: Subscriber, name: str, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """Every request to the endpoint, the newest first."""
    return JSONResponse(await services.call("cases.list_attempts", name, cursor, limit, actor=actor))


@router.get("/deliveries", response_model=DeliveryList)
async def list_deliveries(
    services: Services,
    actor: Subscriber,
    name: str,
    status: DeliveryStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """One for each event, the newest first."""
    return JSONResponse(await services.call("cases.list_deliveries", name, status, cursor, limit, actor=actor))


@router.post("/deliveries/{delivery:id}/retry", status_code=202, response_model=Delivery)
async def retry_delivery(services: Services, actor: Subscriber, name: str, delivery: int) -> Response:
    """Send one again that was given up. Its case may have gone on meanwhile: the event's `sequence` says so."""
    return JSONResponse(await services.call("cases.retry_delivery", name, delivery, actor=actor), 202)


@router.post("/secret", status_code=201, response_model=Secret)
async def rotate_secret(services: Services, actor: Subscriber, name: str) -> Response:
    """Make a new secret. For 24 hours the one before signs too, beside it."""
    return JSONResponse(await services.call("cases.rotate_secret", name, actor=actor), 201)


@router.post("/resume", status_code=204, response_class=Response)
async def resume_webhook(services: Services, actor: Subscriber, name: str) -> Response:
    """Send again, at once, to an endpoint that rests or was disabled."""
    await services.call("cases.resume_webhook", name, actor=actor)
    return Response(status_code=204)


@router.post("/test", status_code=202, response_model=TestEvent)
async def send_test(services: Services, actor: Subscriber, name: str) -> Response:
    """Send an event of type `onehall.test`, signed and tried again as any other."""
    return JSONResponse(await services.call("cases.send_test", name, actor=actor), 202)
