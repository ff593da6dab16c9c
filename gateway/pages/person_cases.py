"""Staff search by an ID number. It is typed into a form that is posted: no number in an address, a log or a history."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from contracts.errors import InvalidInput, NotPermitted, TooManyAttempts
from gateway import person_cases
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/work/person")

MAX_NUMBER = 40
STAFF = ("officer", "clerk")


@router.get("")
async def show_search(visit: Visited) -> Response:
    _require_staff(visit)
    return _page(visit)


@router.post("")
async def search(visit: Visited) -> Response:
    _require_staff(visit)
    number = text_in(await visit.form(), "id_number")[:MAX_NUMBER]
    try:
        found = await person_cases.find(visit.rpc, visit.signed_in.actor, number)
    except InvalidInput:
        return _page(visit, 422, fault="format")
    except TooManyAttempts:
        return _page(visit, 429, fault="limited")
    return _page(visit, found=found)


def _page(visit: Visit, status: int = 200, fault: str = "", found: dict[str, Any] | None = None) -> Response:
    # what was typed is not shown again: others see the screen, too
    return visit.render("person_cases.html", status, {"Cache-Control": "no-store"}, fault=fault, found=found)


def _require_staff(visit: Visit) -> None:
    if not any(visit.signed_in.actor.has_role(role) for role in STAFF):
        raise NotPermitted("list_cases_of")
