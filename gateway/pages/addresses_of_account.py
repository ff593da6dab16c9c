"""Another phone or mail address: said, proved by the code that goes there, and taken."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, TooManyAttempts
from gateway.pages.security import HERE, ask
from gateway.pages.visits import Visit, Visited, text_in
from gateway.problems import sentence

router = APIRouter(prefix=f"{HERE}/address")

KIND_OF = {"mail": "email", "sms": "phone"}
MAX_ADDRESS, MAX_CODE, MAX_CHALLENGE = 300, 100, 200


@router.get("/{way}")
async def show_address(visit: Visited, way: str) -> Response:
    _require_known(way)
    # asks for a fresh sign-in now, and not when everything is typed in
    await ask(visit, "get_security")
    return _address_page(visit, way)


def _require_known(way: str) -> None:
    if way not in KIND_OF:
        raise HTTPException(404)


def _address_page(visit: Visit, way: str, fault: str = "", said: str = "") -> Response:
    return visit.render("address.html", 422 if fault else 200, way=way, fault=fault, said=said)


@router.post("/{way}")
async def begin(visit: Visited, way: str) -> Response:
    _require_known(way)
    said = text_in(await visit.form(), "address")[:MAX_ADDRESS]
    try:
        challenge = await ask(visit, "begin_address_change", KIND_OF[way], said)
    except TooManyAttempts as error:
        return _address_page(visit, way, visit.say("second.wait", seconds=error.args[0]), said)
    except InvalidInput as invalid:
        return _address_page(visit, way, sentence(invalid.faults[0], visit.say), said)
    return _code_page(visit, way, challenge)


def _code_page(visit: Visit, way: str, challenge: str, fault: str = "") -> Response:
    status = 422 if fault else 200
    return visit.render("address_code.html", status, way=way, challenge=challenge, fault=fault)


@router.post("/{way}/code")
async def finish(visit: Visited, way: str) -> Response:
    _require_known(way)
    posted = await visit.form()
    challenge = text_in(posted, "challenge")[:MAX_CHALLENGE]
    try:
        await ask(visit, "finish_address_change", challenge, text_in(posted, "code")[:MAX_CODE])
    except InvalidInput as invalid:
        return _code_page(visit, way, challenge, sentence(invalid.faults[0], visit.say))
    return RedirectResponse(f"{HERE}?done=1", 303)


@router.get("/{way}/code")
async def return_to_address(way: str) -> Response:
    """Where the page that answered a post lands when it is loaded again."""
    _require_known(way)
    return RedirectResponse(f"{HERE}/address/{way}", 303)
