"""The counter: a clerk signs in, and acts for the citizen whose card was read, in the clerk's own name (RFC 8693)."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, NotFound, NotPermitted, SessionEnded, TooManyAttempts
from gateway.pages import home
from gateway.pages.entrances import HALL, begin, finish
from gateway.pages.visits import SignInNeeded, Visit, Visited, text_in
from gateway.sessions import CLERK, SESSION, VISIT, Visitor, leave

router = APIRouter(prefix="/hall")

ROLE = "clerk"
MAX_NUMBER, MAX_CHALLENGE, MAX_CODE = 40, 100, 20
TARGET = "/hall/"


@router.get("/login")
async def start_sign_in(visit: Visited) -> Response:
    if not visit.request.app.state.settings.has_hall:
        raise HTTPException(404)
    return begin(visit.request, HALL, TARGET)


@router.get("/callback")
async def finish_sign_in(visit: Visited, code: str = "", state: str = "", error: str = "", iss: str = "") -> Response:
    response = await finish(visit, HALL, code=code, state=state, error=error, iss=iss)
    # whoever sat here before has taken their citizen along
    return _without_visit(response, visit)


@router.get("/")
async def show_counter(visit: Visited) -> Response:
    require_clerk(visit)
    if visit.cookies.read(visit.request, VISIT):
        return RedirectResponse("/hall/visit/", 303)
    return _counter(visit)


@router.post("/visits")
async def begin_visit(visit: Visited) -> Response:
    """By a card that was read, or by the code that the citizen read out from their phone."""
    require_clerk(visit)
    posted = await visit.form()
    challenge, code = text_in(posted, "challenge")[:MAX_CHALLENGE], text_in(posted, "code")[:MAX_CODE]
    try:
        if challenge:
            proof = await visit.call("identity.prove_presence_by_code", challenge, code)
        else:
            proof = await visit.call("identity.prove_presence", text_in(posted, "id_number")[:MAX_NUMBER])
    except InvalidInput:
        return _code_page(visit, challenge, 422, "code") if challenge else _counter(visit, 422, "format")
    except NotFound:
        return _counter(visit, 404, "unknown")
    except TooManyAttempts:
        return _counter(visit, 429, "limited")
    return await _open(visit, proof["presence_token"])


@router.post("/codes")
async def send_code(visit: Visited) -> Response:
    require_clerk(visit)
    phone = text_in(await visit.form(), "phone")[:MAX_NUMBER]
    try:
        sent = await visit.call("identity.send_presence_code", phone)
    except InvalidInput:
        return _counter(visit, 422, "phone")
    except TooManyAttempts:
        return _counter(visit, 429, "code-limited")
    return _code_page(visit, sent["challenge"])


@router.get("/visits")
@router.get("/codes")
async def return_to_counter() -> Response:
    """Where a page that answered a post lands when it is loaded again or read in another language."""
    return RedirectResponse(TARGET, 303)


def _code_page(visit: Visit, challenge: str, status: int = 200, fault: str = "") -> Response:
    return visit.render("hall_code.html", status=status, challenge=challenge, fault=fault)


async def _open(visit: Visit, presence_token: str) -> Response:
    try:
        secret = await visit.call("identity.open_visit", visit.signed_in.secret, presence_token)
    except SessionEnded as error:
        raise SignInNeeded(TARGET) from error
    response = RedirectResponse("/hall/visit/", 303)
    visit.cookies.set(response, VISIT, secret)
    return response


def _counter(visit: Visit, status: int = 200, fault: str = "") -> Response:
    # what was read is not shown again: the next person at the counter sees the screen, too
    return visit.render("hall.html", status=status, fault=fault)


@router.get("/visit/")
async def show_visit(visit: Visited, looked: home.LookedFor) -> Response:
    if visit.visitor is None:
        # over by time, or with the clerk's session
        return _without_visit(RedirectResponse("/hall/", 303), visit)
    return await home.show_home(visit, looked)


@router.post("/visit/end")
async def end_visit(visit: Visited) -> Response:
    secret = visit.cookies.read(visit.request, VISIT)
    if secret:
        await visit.request.app.state.visits.end(secret)
    return _without_visit(RedirectResponse("/hall/", 303), visit)


@router.post("/logout")
async def sign_out(visit: Visited) -> Response:
    """With the clerk's tokens go those for the citizen."""
    state = visit.request.app.state
    visiting, clerk, session = (visit.cookies.read(visit.request, name) for name in (VISIT, CLERK, SESSION))
    if visiting:
        await state.visits.end(visiting)
    if clerk:
        await state.web_sessions.end(clerk)
    if session:
        await visit.rpc.call("identity.sign_out", session)
    response = RedirectResponse("/signed-out", 303)
    leave(visit.request, response)
    return response


def require_clerk(visit: Visit) -> Visitor:
    clerk = visit.signed_in
    if not clerk.actor.has_role(ROLE):
        raise NotPermitted("hall")
    return clerk


def _without_visit(response: Response, visit: Visit) -> Response:
    visit.cookies.delete(response, VISIT)
    return response
