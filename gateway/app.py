"""The application, put together from its parts. What it needs from outside is handed in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from chassis.webhooks.addresses import Resolver
from gateway import api, assets, documents, health, oauth, openapi
from gateway.cache import TimedCache
from gateway.callers import CallerAddress
from gateway.catalogue import Items
from gateway.endpoints import Endpoints
from gateway.errors import on_acting_over, on_error, on_http_error, on_invalid_request, on_sign_in_needed
from gateway.files.checking import Checker
from gateway.files.scanner import Clamd, Nobody, Scanner
from gateway.files.service import Files
from gateway.files.store import FileStore
from gateway.pages import routes
from gateway.pages.visits import ActingOver, SignInNeeded
from gateway.problems import SERVICE_ERRORS
from gateway.requests import FaultBarrier, RequestContext
from gateway.rpc import Rpc
from gateway.security import BodyLimit, HeaderLimit, SameSitePosts, SecurityHeaders
from gateway.sessions import Cookies, Seal, Visits, WebSessions
from gateway.settings import GatewaySettings
from gateway.tokens import Tokens


def create_app(settings: GatewaySettings, rpc: Rpc) -> FastAPI:
    app = FastAPI(
        title="OneHall",
        version="1",
        description="One login, one case history. Errors are RFC 9457 problems in the language of `Accept-Language`.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        # the redirect would name the host that the request names, and http behind a proxy
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
        lifespan=_lifespan,
    )
    app.openapi = partial(openapi.describe, app)  # type: ignore[method-assign]
    _fill_state(app, settings, rpc)
    for router in (api.router, documents.router, oauth.router, routes.router, health.router):
        app.include_router(router)
    app.mount("/static", assets.files())
    _handle_errors(app)
    # the last one added is the outermost
    for middleware, options in (
        (BodyLimit, {}),
        (SameSitePosts, {"base_url": settings.base_url}),
        (FaultBarrier, {}),
        (HeaderLimit, {}),
        (SecurityHeaders, {"is_https": settings.is_https}),
        (CallerAddress, {"proxies": settings.proxy_networks}),
        (RequestContext, {}),
    ):
        app.add_middleware(middleware, **options)
    return app


def _fill_state(app: FastAPI, settings: GatewaySettings, rpc: Rpc) -> None:
    tokens = Tokens(rpc, settings.base_url)
    app.state.settings = settings
    app.state.rpc = rpc
    app.state.tokens = tokens
    app.state.items = Items(rpc)
    app.state.files = _files(settings, rpc)
    app.state.endpoints = Endpoints(Resolver(), settings.webhook_networks)
    app.state.cookies = Cookies(settings)
    app.state.seal = Seal(settings.cookie_key.get_secret_value(), os.urandom)
    app.state.web_sessions = WebSessions(rpc, tokens)
    app.state.visits = Visits(rpc, tokens)
    app.state.published = TimedCache[dict[str, Any]](oauth.FRESH_SECONDS, 4)
    app.state.zone = ZoneInfo(settings.time_zone)


def _files(settings: GatewaySettings, rpc: Rpc) -> Files:
    store = FileStore(settings.files_url, settings.files_options)
    scanner: Scanner = Clamd(settings.clamd) if settings.clamd else Nobody()
    return Files(rpc, store, Checker(rpc, store, scanner))


def _handle_errors(app: FastAPI) -> None:
    for error in SERVICE_ERRORS:
        app.add_exception_handler(error, on_error)
    app.add_exception_handler(SignInNeeded, on_sign_in_needed)
    app.add_exception_handler(ActingOver, on_acting_over)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_error)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.rpc.start()
    checking = asyncio.create_task(app.state.files.checker.keep_working())
    yield
    checking.cancel()
    await asyncio.gather(checking, return_exceptions=True)
    await app.state.rpc.stop()
