"""Signing in at a channel of the gateway's own: each is a client of our own provider, by code and PKCE."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.pages.visits import Visit, local_path
from gateway.sessions import CLERK, SIGN_IN, SIGN_IN_SECONDS, WEB

SCOPE = "openid profile cases offline_access"


@dataclass(frozen=True, slots=True)
class Entrance:
    """`client` has its secret in the setting `<client>_client_secret`."""

    client: str
    callback: str
    cookie: str


WEB_ENTRANCE = Entrance("web", "/callback", WEB)
HALL = Entrance("hall", "/hall/callback", CLERK)


def challenge_of(verifier: str) -> str:
    """RFC 7636, section 4.2: S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def begin(
    request: Request, entrance: Entrance, target: str | None, acr: int | None = None, *, fresh: bool = False
) -> Response:
    """`acr` is the level of assurance that is needed there. `fresh`: who is signed in signs in again."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    query = {
        "response_type": "code",
        "client_id": entrance.client,
        "redirect_uri": _redirect_uri(request, entrance),
        "scope": SCOPE,
        "state": state,
        "nonce": secrets.token_urlsafe(24),
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    if fresh:
        query["prompt"] = "login"
    if acr is not None:
        query["claims"] = json.dumps({"id_token": {"acr": {"essential": True, "values": [str(acr)]}}})
    response = RedirectResponse(f"/oauth/authorize?{urlencode(query)}", 303)
    begun = {"state": state, "verifier": verifier, "next": local_path(target), "client": entrance.client}
    request.app.state.cookies.set(response, SIGN_IN, request.app.state.seal.close(begun), SIGN_IN_SECONDS)
    return response


def _redirect_uri(request: Request, entrance: Entrance) -> str:
    return f"{request.app.state.settings.base_url}{entrance.callback}"


async def finish(visit: Visit, entrance: Entrance, *, code: str, state: str, error: str, iss: str) -> Response:
    state_of = visit.request.app.state
    under_way = state_of.seal.open(visit.cookies.read(visit.request, SIGN_IN))
    is_begun = (
        under_way is not None
        and under_way["client"] == entrance.client
        and secrets.compare_digest(under_way["state"].encode(), state.encode())
    )
    # RFC 9207, section 2.4: an answer of another issuer, or of none, is not to our question
    is_ours = is_begun and iss == state_of.settings.base_url
    if error or not code or under_way is None or not is_ours:
        # refused, or a second tab was faster, or not begun in this browser: begin anew by choice
        return visit.render("sign_in_failed.html", status=400)
    tokens = await _redeem(visit, entrance, code, under_way["verifier"])
    if tokens is None:
        return visit.render("sign_in_failed.html", status=400)
    previous = visit.cookies.read(visit.request, entrance.cookie)
    secret = await state_of.web_sessions.begin(entrance.client, tokens, previous)
    response = RedirectResponse(local_path(under_way["next"]), 303)
    visit.cookies.set(response, entrance.cookie, secret)
    visit.cookies.delete(response, SIGN_IN)
    return response


async def _redeem(visit: Visit, entrance: Entrance, code: str, verifier: str) -> dict[str, Any] | None:
    settings = visit.request.app.state.settings
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _redirect_uri(visit.request, entrance),
        "code_verifier": verifier,
    }
    # RFC 6749, section 2.3.1: both parts are form-encoded before they are joined
    password = quote(getattr(settings, f"{entrance.client}_client_secret").get_secret_value(), safe="")
    credentials = base64.b64encode(f"{entrance.client}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}
    answer = await visit.rpc.call(
        "identity.answer_protocol", "token", "POST", f"{settings.base_url}/oauth/token", headers, urlencode(fields)
    )
    return json.loads(answer["body"]) if answer["status"] == 200 else None
