"""Everything about one's own account, in one place. Each area has a module and pages of its own."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from gateway.pages.visits import Visited

router = APIRouter(prefix="/account")

AREAS = (
    ("/account/sessions", "sessions.title", "sessions.account"),
    ("/account/security", "security.title", "account.security"),
    ("/certificates", "certificates.title", "certificates.about"),
    ("/account/access-log", "access-log.title", "account.access-log"),
    ("/account/evidence", "evidence.own-title", "evidence.own-about"),
    ("/account/mandates", "mandates.title", "account.mandates"),
    ("/account/assurance", "assurance-page.title", "assurance-page.account"),
    ("/account/data", "own-data.title", "own-data.about"),
    ("/account/close", "close.title", "close.account"),
)
"""Address, title and what one can do there, in the order of the page: whoever adds an area adds a line."""


@router.get("")
async def go_to_account() -> Response:
    return RedirectResponse("/account/", 303)


@router.get("/")
async def show_account(visit: Visited) -> Response:
    visitor = visit.signed_in
    return visit.render("account.html", name=visitor.name, areas=AREAS)
