"""Whether a document is good: anyone may ask who has its code. A scan leads straight to the answer."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from contracts.errors import NotFound, TooManyAttempts
from gateway.languages import LANGUAGES
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/verify")

_LONGEST = 100
_NOT_KEPT = {"Cache-Control": "no-store"}


@router.get("")
async def show_form(visit: Visited) -> Response:
    return _form(visit)


@router.post("")
async def take_code(visit: Visited) -> Response:
    return await _answer(visit, text_in(await visit.form(), "code"))


@router.get("/{code}")
async def open_link(visit: Visited, code: str) -> Response:
    return await _answer(visit, code)


async def _answer(visit: Visit, code: str) -> Response:
    try:
        found = await visit.rpc.call("cases.get_verification", code[:_LONGEST])
    except TooManyAttempts as error:
        minutes = -(-int(error.args[0]) // 60)
        return _form(visit, 429, visit.say("verify.too-many", minutes=minutes))
    except NotFound:
        return _form(visit, 404, visit.say("verify.unknown"))
    return visit.render("verify.html", headers=_NOT_KEPT, result=found, names=LANGUAGES)


def _form(visit: Visit, status: int = 200, fault: str = "") -> Response:
    return visit.render("verify_form.html", status, headers=_NOT_KEPT, fault=fault)
