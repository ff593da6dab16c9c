"""What an officer does about a webhook: send a delivery again, and call an endpoint again that was left alone."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import DeliveryNotFailed
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/department/subscriptions/{name:code}")

A_PAGE = 20
MOST_FAILED = 20


async def part_of(visit: Visit, name: str, cursor: str | None) -> dict[str, Any]:
    """What the page of a subscription shows of its webhook."""
    return {
        "webhook": await visit.call("cases.get_webhook", name),
        "failed": (await visit.call("cases.list_deliveries", name, "failed", None, MOST_FAILED))["items"],
        "attempts": await visit.call("cases.list_attempts", name, cursor, A_PAGE),
    }


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
    await visit.call("cases.resume_webhook", name)
    return _back(name)


def _back(name: str) -> Response:
    return RedirectResponse(f"/department/subscriptions/{name}#attempts", 303)
