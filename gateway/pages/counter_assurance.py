"""The counter: a clerk who has looked at the card says so, and the account rises to the third level."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from contracts.errors import InvalidInput, NotFound, NotPermitted, TooManyAttempts
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/hall/assurance")

ROLE = "clerk"
MAX_USERNAME, MAX_NUMBER = 64, 40


@router.get("")
async def show_form(visit: Visited) -> Response:
    _require_clerk(visit)
    return _page(visit)


@router.post("")
async def raise_assurance(visit: Visited) -> Response:
    _require_clerk(visit)
    posted = await visit.form()
    username, number = text_in(posted, "username")[:MAX_USERNAME], text_in(posted, "id_number")[:MAX_NUMBER]
    try:
        raised = await visit.call("identity.raise_assurance", username, number)
    except NotFound:
        return _page(visit, 404, "unknown", "username")
    except InvalidInput as error:
        rule = "taken" if error.faults[0]["rule"] == "unique" else "format"
        return _page(visit, 422, rule, "id_number")
    except TooManyAttempts:
        return _page(visit, 429, "limited", "id_number")
    return _page(visit, raised=raised)


def _page(
    visit: Visit, status: int = 200, fault: str = "", field: str = "", raised: dict[str, object] | None = None
) -> Response:
    # nothing that was typed is shown again: the next person at the counter sees the screen, too
    return visit.render("hall_assurance.html", status=status, fault=fault, at=field, raised=raised)


def _require_clerk(visit: Visit) -> None:
    if not visit.signed_in.actor.has_role(ROLE):
        raise NotPermitted("hall")
