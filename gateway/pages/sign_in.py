"""Signing in and out. The web channel is a client of our own provider like any other: code and PKCE."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from contracts.errors import SignInRefused
from gateway.content_policy import policy_for_redirect
from gateway.pages.entrances import WEB_ENTRANCE, begin, finish
from gateway.pages.passkeys import has_host_name
from gateway.pages.signed_in import set_session
from gateway.pages.visits import MAX_ADDRESS, Visit, Visited, local_path
from gateway.sessions import DEVICE, PENDING, SESSION, WEB, leave

router = APIRouter()

CLIENT = "web"
MAX_NAME, MAX_PASSWORD = 200, 1_000

AUTHORIZATION = "/oauth/authorize?"

Next = Annotated[str | None, Query(max_length=len(AUTHORIZATION) + MAX_ADDRESS)]

Level = Annotated[int | None, Query(ge=1, le=3)]


@router.get("/login")
async def show_login(visit: Visited, next: Next = None) -> Response:  # noqa: A002 the address's own word
    return await _login_page(visit, next)


@router.post("/login")
async def sign_in(visit: Visited, next: Next = None) -> Response:  # noqa: A002
    posted = await visit.form()
    username, password = str(posted.get("username", "")), str(posted.get("password", ""))
    target = local_path(next)
    # a sign-in that no client asked for is for the web channel
    response = RedirectResponse(target if target != "/" else "/login/start", 303)
    # identity ties the sign-in to the address that the browser comes back to, and ends the session that was before
    request, previous = response.headers["location"], visit.cookies.read(visit.request, SESSION)
    try:
        _require_possible(username, password)
        device = visit.cookies.read(visit.request, DEVICE)
        said = (username.strip(), password, CLIENT, request, previous, visit.browser, device)
        session = await visit.rpc.call("identity.sign_in", *said)
    except SignInRefused:
        return await _login_page(visit, next, username[:MAX_NAME], refused=True)
    if "pending" in session:
        response = RedirectResponse(f"/login/second?next={quote(target, safe='')}", 303)
        visit.cookies.set(response, PENDING, session["pending"], session["max_age"])
        return response
    set_session(visit, response, session)
    return response


def _require_possible(username: str, password: str) -> None:
    if len(username) > MAX_NAME or len(password) > MAX_PASSWORD or "\x00" in username + password:
        raise SignInRefused


async def _login_page(visit: Visit, address: str | None, username: str = "", *, refused: bool = False) -> Response:
    target = local_path(address)
    asked = await client_request(visit, target)
    visit.speak_one_of(asked.get("ui_locales"))
    return visit.render(
        "login.html",
        status=401 if refused else 200,
        headers={"Content-Security-Policy": policy_for_redirect(asked.get("redirect_uri"))},
        next=quote(target, safe=""),
        passkeys=has_host_name(visit.request.app.state.settings.base_url),
        username=username or asked.get("login_hint", ""),
        refused=refused,
    )


async def client_request(visit: Visit, target: str) -> dict[str, Any]:
    """What identity says of the client's request. Anybody can make a link to this page, so it is asked again."""
    if not target.startswith(AUTHORIZATION):
        return {}
    base_url = visit.request.app.state.settings.base_url
    page: dict[str, Any] = await visit.rpc.call("identity.answer_authorization", base_url + target, None, None)
    return page if page["page"] == "login" else {}


@router.get("/login/start")
async def start_sign_in(request: Request, next: Next = None, acr: Level = None, *, fresh: bool = False) -> Response:  # noqa: A002
    """`acr` is the level of assurance without which there is no use in coming back (OpenID Connect Core, 5.5.1.1)."""
    return begin(request, WEB_ENTRANCE, next, acr, fresh=fresh)


@router.get("/callback")
async def finish_sign_in(visit: Visited, code: str = "", state: str = "", error: str = "", iss: str = "") -> Response:
    return await finish(visit, WEB_ENTRANCE, code=code, state=state, error=error, iss=iss)


@router.post("/logout")
async def sign_out(visit: Visited) -> Response:
    """Ends the web channel's session and the browser's, so that no client signs in again without a password."""
    response = RedirectResponse("/signed-out", 303)
    web, session = (visit.cookies.read(visit.request, name) for name in (WEB, SESSION))
    if web:
        await visit.request.app.state.web_sessions.end(web)
    if session:
        await visit.rpc.call("identity.sign_out", session)
    leave(visit.request, response)
    return response


@router.get("/signed-out")
async def show_signed_out(visit: Visited) -> Response:
    return visit.render("signed_out.html", back=None, client=None)
