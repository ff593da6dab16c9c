"""What every answer carries and what no request may do: headers, limits of size, posts from other sites."""

from __future__ import annotations

import re

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.files import MAX_BYTES
from gateway.content_policy import content_security_policy
from gateway.errors import answer
from gateway.problems import CROSS_SITE, HEADERS_TOO_LARGE, TOO_LARGE

MAX_BODY = 1_000_000
MAX_UPLOAD = MAX_BYTES + 64 * 1024
UPLOADS = re.compile(
    r"(/api/v1|/kiosk|/hall/visit)?(/uploads/[^/]+|/(drafts|cases|joint|joint-cases)/[^/]+/documents(/[^/]+)?)"
)
"""Addresses that read a file as it comes, and limit it themselves."""
MAX_HEADERS = 32_768
MAX_ACCEPT = 1_000
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
WITHOUT_COOKIES = (
    "/api/",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/introspect",
    "/oauth/userinfo",
    "/oauth/par",
    "/oauth/device_authorization",
    "/oauth/register",
)
"""Addresses that authenticate by what the request itself carries: a page elsewhere cannot make use of a visitor."""

FROM_ANYWHERE = (*WITHOUT_COOKIES, "/oauth/authorize", "/oauth/logout")
"""These two take requests of other sites, and check by themselves who sent a decision."""

HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "X-Content-Type-Options": "nosniff",
    # not `no-referrer`: browsers then send `Origin: null` with our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # most answers are somebody's own; what is public says so itself
    "Cache-Control": "no-store",
}
HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class SecurityHeaders:
    """Adds what the answer does not set itself."""

    def __init__(self, app: ASGIApp, is_https: bool) -> None:
        self._app = app
        headers = HEADERS | (HTTPS_HEADERS if is_https else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in self._headers if each[0] not in own)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class HeaderLimit:
    """Refuses headers over 32 KB before anything reads them."""

    def __init__(self, app: ASGIApp, limit: int = MAX_HEADERS) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and sum(len(name) + len(value) for name, value in scope["headers"]) > self._limit:
            response = answer(Request(_brief(scope)), HEADERS_TOO_LARGE, {"Connection": "close"})
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _brief(scope: Scope) -> Scope:
    """The same request with no more than what says how it wants to be answered."""
    asked = [(name, value[:MAX_ACCEPT]) for name, value in scope["headers"] if name in (b"accept", b"accept-language")]
    return {**scope, "headers": asked[:2]}


class BodyLimit:
    """Refuses a body over 1 MB, or over a file where one may be sent: by its announced length, and as it streams."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = MAX_UPLOAD if UPLOADS.fullmatch(scope["path"]) else self._limit
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > limit:
            response = answer(Request(scope), TOO_LARGE, {"Connection": "close"})
            await response(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_limited, send)


class SameSitePosts:
    """Refuses what another site's page sends with our visitor's cookies, so forms need no hidden token."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._app = app
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_forgery(Request(scope)):
            await answer(Request(scope), CROSS_SITE)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_forgery(self, request: Request) -> bool:
        if request.method in SAFE_METHODS or request.url.path.startswith(FROM_ANYWHERE):
            return False
        return is_from_another_site(request, self._base_url)


def is_from_another_site(request: Request, base_url: str) -> bool:
    """Every browser of today tells by `Sec-Fetch-Site` (Fetch Metadata) or `Origin`.

    A program that sends neither has no visitor's cookies to misuse.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site != "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and origin not in (base_url, f"{request.url.scheme}://{request.headers.get('host')}")
