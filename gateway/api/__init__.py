"""The REST API, `/api/v1`. One module a noun."""

from fastapi import APIRouter

from gateway.api import cases, contacts, inbox, items, ratings, subscriptions, webhooks

router = APIRouter(prefix="/api/v1")
for part in (items, cases, ratings, inbox, contacts, subscriptions, webhooks):
    router.include_router(part.router)
