"""How one signs in, and changing it: password, second factors, recovery codes.

Identity is asked with the browser's session at the provider, not with the web channel's token: a token changes nothing
here (`services.identity.factors.owner`).
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, SessionEnded, SignInTooOld, TooManyAttempts
from gateway.pages.passkeys import MAX_CREDENTIAL, ceremony_response
from gateway.pages.visits import FreshSignInNeeded, SignInNeeded, Visit, Visited, text_in
from gateway.problems import sentence
from gateway.sessions import CEREMONY, SESSION

router = APIRouter(prefix="/account/security")

HERE = "/account/security"
MAX_FIELD = 1_000


async def ask(visit: Visit, name: str, *arguments: Any, back: str = HERE) -> Any:
    """A call as the owner of the account in this browser, who comes `back` there from signing in where that is over."""
    session = visit.cookies.read(visit.request, SESSION)
    try:
        return await visit.call(f"identity.{name}", session or "", *arguments)
    except SignInTooOld:
        raise FreshSignInNeeded(back) from None
    except SessionEnded:
        raise SignInNeeded(back) from None


@router.get("")
async def show_security(visit: Visited) -> Response:
    return await _security_page(visit)


async def _security_page(visit: Visit, fault: str | None = None) -> Response:
    security = await ask(visit, "get_security")
    done = "done" in visit.request.query_params and fault is None
    return visit.render("security.html", 422 if fault else 200, security=security, done=done, fault=fault)


@router.get("/password")
async def show_password(visit: Visited) -> Response:
    await ask(visit, "get_security")
    return visit.render("password.html", faults={})


@router.post("/password")
async def change_password(visit: Visited) -> Response:
    posted = await visit.form()
    # neither stripped nor shortened: a password is what was typed
    old, new, again = (str(posted.get(name, "")) for name in ("old", "new", "again"))
    try:
        _require_possible(old, new, again)
        await ask(visit, "change_password", old, new)
    except InvalidInput as invalid:
        faults = {fault["pointer"].strip("/"): sentence(fault, visit.say) for fault in invalid.faults}
        return visit.render("password.html", 422, faults=faults)
    except TooManyAttempts as error:
        return visit.render("password.html", 429, faults={"old": visit.say("second.wait", seconds=error.args[0])})
    # this one has ended too; the browser is given a new one on the way back
    visit.request.app.state.web_sessions.forget(visit.signed_in.secret)
    return _done()


def _require_possible(old: str, new: str, again: str) -> None:
    if any(len(value) > MAX_FIELD or "\x00" in value for value in (old, new)):
        raise InvalidInput([{"pointer": "/new", "rule": "maxLength", "value": MAX_FIELD}])
    if new != again:
        raise InvalidInput([{"pointer": "/again", "rule": "password", "value": "again"}])


@router.get("/app")
async def show_app(visit: Visited) -> Response:
    return await _app_page(visit)


async def _app_page(visit: Visit, fault: str | None = None) -> Response:
    offer = await ask(visit, "begin_totp")
    status = 422 if fault else 200
    return visit.render(
        "set_up_app.html", status, offer=offer, action=f"{HERE}/app", fault=fault, at=None, is_required=False
    )


@router.post("/app")
async def set_up_app(visit: Visited) -> Response:
    posted = await visit.form()
    try:
        codes = await ask(visit, "finish_totp", _field(posted, "sealed"), _field(posted, "code"))
    except InvalidInput as invalid:
        return await _app_page(visit, sentence(invalid.faults[0], visit.say))
    return _codes_page(visit, codes)


@router.post("/code")
async def send_code(visit: Visited) -> Response:
    """To the phone or the mail address of the account, so that codes to it can be a second factor."""
    kind = _field(await visit.form(), "kind")
    try:
        challenge = await ask(visit, "begin_code_factor", kind)
    except TooManyAttempts as error:
        return await _security_page(visit, visit.say("second.wait", seconds=error.args[0]))
    except InvalidInput as invalid:
        return await _security_page(visit, sentence(invalid.faults[0], visit.say))
    return visit.render("confirm_code.html", kind=kind, challenge=challenge, fault=None)


@router.post("/code/confirm")
async def confirm_code(visit: Visited) -> Response:
    posted = await visit.form()
    kind, challenge = _field(posted, "kind"), _field(posted, "challenge")
    try:
        codes = await ask(visit, "finish_code_factor", challenge, _field(posted, "code"))
    except InvalidInput as invalid:
        fault = sentence(invalid.faults[0], visit.say)
        return visit.render("confirm_code.html", 422, kind=kind, challenge=challenge, fault=fault)
    return _codes_page(visit, codes)


@router.post("/passkey/options")
async def begin_passkey(visit: Visited) -> Response:
    return ceremony_response(visit, await ask(visit, "begin_passkey"))


@router.post("/passkey")
async def add_passkey(visit: Visited) -> Response:
    posted = await visit.form()
    ceremony = visit.cookies.read(visit.request, CEREMONY) or ""
    credential = str(posted.get("credential", ""))[: MAX_CREDENTIAL + 1]
    try:
        codes = await ask(visit, "finish_passkey", ceremony, credential, text_in(posted, "name")[:MAX_FIELD])
    except InvalidInput as invalid:
        return await _security_page(visit, sentence(invalid.faults[0], visit.say))
    return _codes_page(visit, codes)


@router.post("/remove")
async def remove_factor(visit: Visited) -> Response:
    posted = await visit.form()
    which = str(posted.get("which", ""))[:2_000] or None
    try:
        await ask(visit, "remove_factor", _field(posted, "kind"), which)
    except InvalidInput as invalid:
        return await _security_page(visit, sentence(invalid.faults[0], visit.say))
    return _done()


@router.post("/recovery-codes")
async def renew_recovery_codes(visit: Visited) -> Response:
    return _codes_page(visit, await ask(visit, "renew_recovery_codes"))


def _codes_page(visit: Visit, codes: list[str]) -> Response:
    """They are shown this once."""
    return visit.render("recovery_codes.html", codes=codes, onward=f"{HERE}?done=1") if codes else _done()


def _field(posted: FormData, name: str) -> str:
    return text_in(posted, name)[:MAX_FIELD]


def _done() -> Response:
    return RedirectResponse(f"{HERE}?done=1", 303)
