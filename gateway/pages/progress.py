"""How far a case is, for whoever has its number and its code, without signing in; and the code, for its applicant."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.errors import NotFound, TooManyAttempts
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/progress")
codes = APIRouter(prefix="/cases")
"""Of the case's own page, at every place where there is one."""

_LONGEST = 100


@router.get("")
async def show_form(visit: Visited, number: Annotated[str, Query(max_length=_LONGEST)] = "") -> Response:
    """A link and a QR code name the case; the code is typed in, and so stands in no address that is kept somewhere."""
    return _form(visit, _tidy(number))


@router.post("")
async def show_progress(visit: Visited) -> Response:
    posted = await visit.form()
    number, code = _tidy(text_in(posted, "number")), text_in(posted, "code")[:_LONGEST]
    try:
        progress = await visit.rpc.call("cases.get_progress", number, code)
    except TooManyAttempts as error:
        minutes = -(-int(error.args[0]) // 60)
        return _form(visit, number, 429, visit.say("progress.too-many", minutes=minutes))
    except NotFound:
        return _form(visit, number, 404, visit.say("progress.unknown"))
    return visit.render("progress.html", headers={"Cache-Control": "no-store"}, case=progress)


def _form(visit: Visit, number: str, status: int = 200, fault: str = "") -> Response:
    return visit.render("progress_form.html", status, number=number, fault=fault)


def _tidy(number: str) -> str:
    """Of the case, however it is typed: with spaces and dashes between."""
    return "".join(number.replace("-", " ").split())[:_LONGEST]


def code_of(visit: Visit, case: dict[str, Any]) -> dict[str, Any]:
    """What the case's page shows of it: the code, and a QR code of where it is typed in."""
    code = case.get("progress_code")
    if code is None:
        return {"progress_code": None, "progress_qr": ""}
    base = visit.request.app.state.settings.base_url
    qr = segno.make(f"{base}/progress?{urlencode({'number': case['number']})}", error="m", micro=False)
    drawn = qr.svg_inline(border=4, omitsize=True, svgclass="oh-qr__svg", lineclass=None)
    return {"progress_code": code, "progress_qr": drawn, "progress_page": f"{base}/progress"}


@codes.post("/{number:code}/progress-code")
async def change_code(visit: Visited, number: str) -> Response:
    wish = text_in(await visit.form(), "wish")
    if wish in ("renew", "withdraw"):
        await visit.call(f"cases.{wish}_progress_code", number)
    return RedirectResponse(f"{visit.place.base}/cases/{number}#progress", 303)


@codes.get("/{number:code}/progress-code")
async def return_to_case(visit: Visited, number: str) -> Response:
    return RedirectResponse(f"{visit.place.base}/cases/{number}", 303)
