"""The REST API, `/api/v1`. One module a noun."""

from fastapi import APIRouter

from gateway.api import (
    access_log,
    assurance,
    cases,
    codes,
    contacts,
    documents,
    drafts,
    evidence,
    inbox,
    items,
    joint_cases,
    mandates,
    presence,
    progress,
    ratings,
    results,
    statistics,
    subscriptions,
    uploads,
    webhooks,
)

router = APIRouter(prefix="/api/v1")
for part in (
    items,
    cases,
    progress,
    joint_cases,
    results,
    statistics,
    drafts,
    documents,
    evidence,
    uploads,
    ratings,
    inbox,
    contacts,
    codes,
    access_log,
    mandates,
    presence,
    assurance,
    subscriptions,
    webhooks,
):
    router.include_router(part.router)
