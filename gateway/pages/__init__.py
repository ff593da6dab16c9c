"""The pages of the web channel. One module a noun; they work without scripts."""

from fastapi import APIRouter

from gateway.pages import access_log, account, cases, department, home, inbox, items, ratings, sign_in, webhooks

router = APIRouter(include_in_schema=False)
for part in (home, items, cases, ratings, inbox, account, access_log, department, webhooks, sign_in):
    router.include_router(part.router)
