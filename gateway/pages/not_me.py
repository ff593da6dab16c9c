""" "This was not me": by the code of a notice, or from the inbox. A look changes nothing; only the button does."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import NotFound, TooManyAttempts
from gateway.pages.security import ask
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter()

MAX_CODE = 100


@router.get("/not-me")
async def show_entry(visit: Visited) -> Response:
    return _entry(visit)


def _entry(visit: Visit, status: int = 200, fault: str = "") -> Response:
    return visit.render("not_me_enter.html", status, fault=fault)


@router.post("/not-me")
async def take_code(visit: Visited) -> Response:
    """A code that came by short message."""
    return await _confirmation(visit, text_in(await visit.form(), "code")[:MAX_CODE])


@router.get("/not-me/{code}")
async def open_link(visit: Visited, code: str) -> Response:
    return await _confirmation(visit, code[:MAX_CODE])


async def _confirmation(visit: Visit, code: str) -> Response:
    try:
        notice = await visit.rpc.call("identity.get_security_notice", code)
    except (NotFound, TooManyAttempts) as error:
        return _refused(visit, error)
    return visit.render("not_me.html", notice=notice, action="/not-me/confirm", code=code)


@router.post("/not-me/confirm")
async def refuse(visit: Visited) -> Response:
    code = text_in(await visit.form(), "code")[:MAX_CODE]
    try:
        notice = await visit.rpc.call("identity.refuse_change", code)
    except (NotFound, TooManyAttempts) as error:
        return _refused(visit, error)
    return visit.render("not_me_done.html", notice=notice)


@router.get("/not-me/confirm")
async def return_to_entry() -> Response:
    """Where the page that answered the post lands when it is loaded again or read in another language."""
    return RedirectResponse("/not-me", 303)


def _refused(visit: Visit, error: Exception) -> Response:
    if isinstance(error, TooManyAttempts):
        minutes = -(-int(error.args[0]) // 60)
        return _entry(visit, 429, visit.say("recover.too-many", minutes=minutes))
    return _entry(visit, 404, visit.say("not-me.unknown"))


@router.get("/account/security/not-me/{notice:code}")
async def show_own(visit: Visited, notice: str) -> Response:
    shown = await ask(visit, "get_own_security_notice", notice)
    return visit.render("not_me.html", notice=shown, action=f"/account/security/not-me/{notice}", code="")


@router.post("/account/security/not-me/{notice:code}")
async def refuse_own(visit: Visited, notice: str) -> Response:
    refused = await ask(visit, "refuse_own_change", notice)
    visit.request.app.state.web_sessions.forget(visit.signed_in.secret)
    if not refused["stops_only"]:
        # this browser is signed out, too
        visit.visitor = None
    return visit.render("not_me_done.html", notice=refused)
