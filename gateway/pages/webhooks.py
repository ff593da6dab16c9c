"""What an officer does about a webhook: send a delivery again, and call an endpoint again that was left alone."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import DeliveryNotFailed, WebhookJustResumed
from gateway.pages.visits import Visited, text_in

router = APIRouter(prefix="/department/subscriptions/{name:code}")


@router.post("/retry")
async def retry_delivery(visit: Visited, name: str) -> Response:
    delivery = text_in(await visit.form(), "delivery")
    if delivery.isascii() and delivery.isdigit() and len(delivery) < 19:
        try:
            await visit.call("cases.retry_delivery", name, int(delivery))
        except DeliveryNotFailed:
            return _back(name)  # somebody was faster; the page shows it
    return _back(name)


@router.post("/resume")
async def resume_webhook(visit: Visited, name: str) -> Response:
    with suppress(WebhookJustResumed):  # pressed twice; the page shows how it goes
        await visit.call("cases.resume_webhook", name)
    return _back(name)


def _back(name: str) -> Response:
    return RedirectResponse(f"/department/subscriptions/{name}#attempts", 303)
