"""The counter lets somebody set a new password, whose card the clerk has seen: a code for their own phone."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from contracts.errors import InvalidInput, NotFound, TooManyAttempts
from gateway.pages.hall import MAX_NUMBER, require_clerk
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/hall/recovery")


@router.get("")
async def show_recovery(visit: Visited) -> Response:
    require_clerk(visit)
    return _page(visit)


def _page(visit: Visit, status: int = 200, fault: str = "") -> Response:
    # the number is not shown again: the next person at the counter sees the screen, too
    return visit.render("hall_recovery.html", status, fault=fault, handed=None)


@router.post("")
async def begin(visit: Visited) -> Response:
    require_clerk(visit)
    number = text_in(await visit.form(), "id_number")[:MAX_NUMBER]
    try:
        handed = await visit.call("identity.recover_at_counter", number)
    except InvalidInput:
        return _page(visit, 422, visit.say("hall-fault.format"))
    except NotFound:
        return _page(visit, 404, visit.say("hall-recovery.unknown"))
    except TooManyAttempts:
        return _page(visit, 429, visit.say("hall-recovery.limited"))
    address = f"{visit.request.app.state.settings.base_url}/recover/link"
    return visit.render("hall_recovery.html", fault="", handed=handed, address=address)
