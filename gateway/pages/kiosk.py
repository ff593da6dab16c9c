"""The kiosk: a terminal that stands open to all. The citizen's phone signs them in, and they are out again soon.

No token and no device code reaches its browser: tokens stay at identity, the codes are in a sealed cookie.
"""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.errors import ServiceUnavailable
from gateway.errors import answer
from gateway.pages import home
from gateway.pages.visits import Visit, Visited
from gateway.problems import CROSS_SITE
from gateway.security import is_from_another_site
from gateway.sessions import KIOSK, KIOSK_NAME, KIOSK_WAIT, LANGUAGE, LANGUAGE_SECONDS, Cookies

router = APIRouter(prefix="/kiosk")

CLIENT = "kiosk"
SCOPE = "openid cases offline_access"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
MAX_NAME = 60
STILL_THERE_SECONDS = 30
SLOWER_SECONDS = 5

Words = Annotated[str, Query(max_length=200)]


@router.get("/")
async def show_start(visit: Visited, looked: home.LookedFor, place: Words = "") -> Response:
    """With `place`, which whoever sets the kiosk up opens once, the kiosk knows what it is called."""
    if visit.visitor:
        return await home.show_home(visit, looked)
    response = visit.render("kiosk.html", kiosk_name=_name(visit, place))
    if place and place.isprintable() and len(place) <= MAX_NAME:
        visit.cookies.set(response, KIOSK_NAME, _as_cookie(place), LANGUAGE_SECONDS)
    return response


def _name(visit: Visit, place: str = "") -> str:
    kept = visit.cookies.read(visit.request, KIOSK_NAME) or ""
    name = place or _from_cookie(kept)
    return name if name.isprintable() and len(name) <= MAX_NAME else ""


def _as_cookie(name: str) -> str:
    return name.encode().hex()


def _from_cookie(kept: str) -> str:
    try:
        return bytes.fromhex(kept).decode()
    except ValueError:
        return ""


@router.post("/start")
async def start_waiting(visit: Visited) -> Response:
    name = _name(visit)
    asked = await _ask(visit, "device_authorization", {"scope": SCOPE} | ({"device_name": name} if name else {}))
    if asked is None or "user_code" not in asked:
        raise ServiceUnavailable("identity")
    response = RedirectResponse("/kiosk/wait", 303)
    kept = {name: asked[name] for name in ("device_code", "user_code", "verification_uri", "interval")}
    link = asked["verification_uri_complete"]
    _keep_waiting(visit, response, kept | {"link": link, "seconds": asked["expires_in"]})
    return response


@router.get("/wait")
async def wait(visit: Visited) -> Response:
    """Asks once a load, and loads itself again, so that nothing depends on scripts."""
    waiting = visit.request.app.state.seal.open(visit.cookies.read(visit.request, KIOSK_WAIT))
    if waiting is None:
        return RedirectResponse("/kiosk/", 303)
    tokens = await _ask(visit, "token", {"grant_type": GRANT, "device_code": waiting["device_code"]})
    if tokens is not None and "access_token" in tokens:
        return await _sign_in(visit, tokens)
    error = tokens.get("error") if tokens else None
    if error == "slow_down":
        waiting["interval"] += SLOWER_SECONDS
    elif error not in (None, "authorization_pending"):
        return _over(visit, str(error))
    response = visit.render(
        "kiosk_wait.html",
        headers={"Refresh": f"{waiting['interval']}; url=/kiosk/wait"},
        waiting=waiting,
        qr=_qr(waiting["link"]),
    )
    if error == "slow_down":
        _keep_waiting(visit, response, waiting)
    return response


def _over(visit: Visit, error: str) -> Response:
    """Denied, expired, or fetched already by a second tab."""
    response = visit.render("kiosk_over.html", reason="denied" if error == "access_denied" else "expired")
    visit.cookies.delete(response, KIOSK_WAIT)
    return response


async def _sign_in(visit: Visit, tokens: dict[str, Any]) -> Response:
    state = visit.request.app.state
    secret = await state.web_sessions.begin(CLIENT, tokens, visit.cookies.read(visit.request, KIOSK))
    response = RedirectResponse("/kiosk/", 303)
    visit.cookies.set(response, KIOSK, secret)
    visit.cookies.delete(response, KIOSK_WAIT)
    return response


@router.get("/idle")
async def show_idle(visit: Visited) -> Response:
    if visit.visitor is None:
        return RedirectResponse("/kiosk/", 303)
    headers = {"Refresh": f"{STILL_THERE_SECONDS}; url=/kiosk/timeout"}
    return visit.render("kiosk_idle.html", headers=headers, seconds=STILL_THERE_SECONDS)


@router.get("/timeout")
async def end_by_itself(visit: Visited) -> Response:
    """Only the page that asked leads here: another site's link signs nobody out."""
    if is_from_another_site(visit.request, visit.request.app.state.settings.base_url):
        return answer(visit.request, CROSS_SITE)
    return await end(visit)


@router.post("/end")
async def end(visit: Visited) -> Response:
    """Nothing of this person stays, their language included."""
    response = RedirectResponse("/kiosk/", 303)
    secret = visit.cookies.read(visit.request, KIOSK)
    if secret:
        await visit.request.app.state.web_sessions.end(secret)
    for name in (KIOSK, KIOSK_WAIT, LANGUAGE):
        visit.cookies.delete(response, name)
    return response


async def _ask(visit: Visit, endpoint: str, form: dict[str, str]) -> dict[str, Any] | None:
    """What the provider says to the client `kiosk`; None for an answer that is none of the protocol's."""
    url = f"{visit.request.app.state.settings.base_url}/oauth/{endpoint}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(form | {"client_id": CLIENT})
    answered = await visit.rpc.call("identity.answer_protocol", endpoint, "POST", url, headers, body)
    try:
        said: dict[str, Any] = json.loads(answered["body"])
    except ValueError:
        return None
    return said


def _keep_waiting(visit: Visit, response: Response, waiting: dict[str, Any]) -> None:
    cookies: Cookies = visit.cookies
    cookies.set(response, KIOSK_WAIT, visit.request.app.state.seal.close(waiting), waiting["seconds"])


def _qr(link: str) -> str:
    """Drawn by attributes only, as the content policy wants it."""
    qr = segno.make(link, error="m", micro=False)
    return qr.svg_inline(border=4, omitsize=True, svgclass="oh-qr__svg", lineclass=None)
