"""The citizen's phone: allowing a kiosk to act for them (RFC 8628, section 3.3). The kiosk itself is in `kiosk`."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from gateway.pages.access_log import client_name
from gateway.pages.visits import Visit, Visited, text_in
from gateway.sessions import SESSION

router = APIRouter(prefix="/device")

MAX_CODE = 40
DECISIONS = ("allow", "deny")

Code = Annotated[str, Query(max_length=200)]


@router.get("")
async def show_device(visit: Visited, user_code: Code = "") -> Response:
    return await _answer(visit, user_code, None)


@router.post("")
async def answer_device(visit: Visited) -> Response:
    """A code that was typed, or the decision on one."""
    posted = await visit.form()
    decision = text_in(posted, "decision")
    return await _answer(visit, text_in(posted, "user_code"), decision if decision in DECISIONS else None)


async def _answer(visit: Visit, user_code: str, decision: str | None) -> Response:
    code = user_code[:MAX_CODE]
    session = visit.cookies.read(visit.request, SESSION)
    page = await visit.rpc.call("identity.answer_device", session, code or None, decision)
    match page["page"]:
        case "login":
            back = f"/device?{urlencode({'user_code': code})}" if code else "/device"
            return RedirectResponse(f"/login?next={quote(back, safe='')}", 303)
        case "confirm":
            name = client_name(visit.say, page.get("client_id"), page["client"])
            return visit.render("device_confirm.html", device=page | {"client": name})
        case "done":
            return visit.render("device_done.html", device=page)
        case _:
            fault = page["fault"]
            status = {None: 200, "limited": 429}.get(fault, 422)
            return visit.render("device.html", status=status, fault=fault, code=code)
