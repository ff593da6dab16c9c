"""The REST API, `/api/v1`. One module a noun."""

from fastapi import APIRouter

from gateway.api import cases, contacts, inbox, items, ratings, subscriptions

router = APIRouter(prefix="/api/v1")
for part in (items, cases, ratings, inbox, contacts, subscriptions):
    router.include_router(part.router)
