"""Signing in with a passkey: the only page that needs a script, since browsers have no other way to ask for one."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import SessionEnded, SignInRefused
from gateway.pages.signed_in import set_session
from gateway.pages.visits import Visit, Visited, local_path
from gateway.sessions import CEREMONY, DEVICE, PENDING, SESSION

router = APIRouter()

CHANNEL = "web"
CEREMONY_SECONDS = 300
MAX_CREDENTIAL = 20_000


def has_host_name(base_url: str) -> bool:
    """There are no passkeys for an IP address (Web Authentication, section 5.1.3)."""
    try:
        ipaddress.ip_address(urlsplit(base_url).hostname or "")
    except ValueError:
        return True
    return False


def ceremony_response(visit: Visit, begun: dict[str, Any]) -> Response:
    """The options for the script; the secret that ties its answer to this browser is no business of the script's."""
    response = Response(begun["options"], media_type="application/json")
    visit.cookies.set(response, CEREMONY, begun["ceremony"], CEREMONY_SECONDS)
    return response


@router.post("/login/passkey/options")
async def begin_sign_in(visit: Visited) -> Response:
    return ceremony_response(visit, await visit.rpc.call("identity.begin_passkey_sign_in"))


@router.post("/login/second/passkey/options")
async def begin_second_step(visit: Visited) -> Response:
    pending = visit.cookies.read(visit.request, PENDING) or ""
    return ceremony_response(visit, await visit.rpc.call("identity.begin_passkey_sign_in", pending))


@router.post("/login/passkey")
async def sign_in(visit: Visited, next: str | None = None) -> Response:  # noqa: A002 the address's own word
    return await _finish(visit, next, None)


@router.post("/login/second/passkey")
async def finish_second_step(visit: Visited, next: str | None = None) -> Response:  # noqa: A002
    return await _finish(visit, next, visit.cookies.read(visit.request, PENDING) or "")


async def _finish(visit: Visit, address: str | None, pending: str | None) -> Response:
    posted = await visit.form()
    target = local_path(address)
    response = RedirectResponse(target if target != "/" else "/login/start", 303)
    credential, ceremony = (
        str(posted.get("credential", ""))[: MAX_CREDENTIAL + 1],
        visit.cookies.read(visit.request, CEREMONY) or "",
    )
    previous, device = (visit.cookies.read(visit.request, name) for name in (SESSION, DEVICE))
    way = (CHANNEL, response.headers["location"], previous, pending, visit.browser, device)
    try:
        session = await visit.rpc.call("identity.finish_passkey_sign_in", ceremony, credential, *way)
    except (SignInRefused, SessionEnded):
        return visit.render("sign_in_failed.html", status=401)
    set_session(visit, response, session)
    for name in (PENDING, CEREMONY):
        visit.cookies.delete(response, name)
    return response
