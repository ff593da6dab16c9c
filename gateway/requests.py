"""Every request: its correlation id and trace, its line in the log, its metrics, and no fault that gets out."""

from __future__ import annotations

import logging
import time
import uuid

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import context
from gateway import metrics
from gateway.errors import answer, shown_path
from gateway.problems import INTERNAL

log = logging.getLogger(__name__)

UNCOUNTED = ("/healthz", "/readyz", "/metrics")


def correlation_id_of(header: str | None) -> str:
    """The caller's `X-Request-ID` when it is a UUID, in our writing; else a new one."""
    try:
        return str(uuid.UUID(header))
    except (TypeError, ValueError, AttributeError):
        return str(uuid.uuid4())


class RequestContext:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = correlation_id_of(headers.get("x-request-id"))
        context.enter(request_id, headers.get("traceparent"))
        status = 500
        began = time.perf_counter()

        async def send_with_ids(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = request_id
                answer["traceparent"] = context.traceparent.get() or ""
            await send(message)

        try:
            await self._app(scope, receive, send_with_ids)
        finally:
            _account(scope, status, time.perf_counter() - began)


def _account(scope: Scope, status: int, seconds: float) -> None:
    if scope["path"] in UNCOUNTED:
        return
    # the template, not the address: the address would make one metric a case. Queries stay out of the log, too:
    # they carry authorization codes
    route = getattr(scope.get("route"), "path", "-")
    metrics.requests.labels(scope["method"], route, str(status)).inc()
    metrics.request_seconds.labels(route).observe(seconds)
    log.info("%s %s %s %.1f ms", scope["method"], shown_path(scope), status, seconds * 1000)


class FaultBarrier:
    """The last catch: a fault of ours is logged whole and told without a word of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception:
            if scope["type"] != "http" or has_begun:
                raise
            log.exception("%s %s failed", scope["method"], shown_path(scope))
            await answer(Request(scope), INTERNAL)(scope, receive, send)
