"""Errors become answers here: a page for a browser at an address for people, a problem for every program."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from contracts.errors import InvalidInput, StepUpRequired
from gateway import problems
from gateway.pages.visits import FreshSignInNeeded, Visit, local_path
from gateway.places import WEB_PLACE, place_of
from gateway.problems import INTERNAL, PROBLEM_OF_ERROR, PROBLEM_OF_STATUS, Problem, speak
from gateway.sessions import ACTING

log = logging.getLogger(__name__)

FOR_PROGRAMS = ("/api/", "/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/oauth/jwks", "/.well-known/")

WITH_CODES = ("/verify/", "/api/v1/verify/", "/not-me/")
"""Below these the address itself is a code that opens something; a log must not."""


def shown_path(scope: Scope) -> str:
    """What a log may say of where a request went."""
    path: str = scope["path"]
    return str(getattr(scope.get("route"), "path", "-")) if path.startswith(WITH_CODES) else path


def wants_page(request: Request) -> bool:
    return not request.url.path.startswith(FOR_PROGRAMS) and "text/html" in request.headers.get("accept", "")


def answer(request: Request, problem: Problem, headers: dict[str, str] | None = None, **extensions: Any) -> Response:
    if not wants_page(request):
        return problems.respond(problem, speak(request), headers, **extensions)
    # without the visitor: to look for one is a call, and that may be what failed
    return Visit(request, None).render("problem.html", status=problem.status, headers=headers, problem=problem)


async def on_error(request: Request, error: Exception) -> Response:
    """Errors of the services and of the token check."""
    # a kiosk has no keyboard to trust: there the page says what is needed, and the citizen does it on their phone
    if isinstance(error, StepUpRequired) and wants_page(request) and place_of(request.url.path) is WEB_PLACE:
        # a post cannot be repeated after the step; its page can
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login/start?next={quote(local_path(address), safe='')}&acr={error.args[0]}", 303)
    problem = problems.problem_of(error)
    if problem is INTERNAL:
        log.error("%s %s: %s", request.method, shown_path(request.scope), error, exc_info=error)
    extensions = problems.extensions_of(error, speak(request))
    return answer(request, problem, problems.headers_of(error, problem), **extensions)


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """FastAPI's own validation: every wrong place of the body, query or headers."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 for the type checker; registered for it alone
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return answer(request, problems.BROKEN_JSON)
    worded = [problems.worded_fault(fault, speak(request)) for fault in faults]
    return answer(request, PROBLEM_OF_ERROR[InvalidInput], errors=worded)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own: no such route, wrong method, unreadable body."""
    assert isinstance(error, HTTPException)  # noqa: S101 for the type checker; registered for it alone
    problem = PROBLEM_OF_STATUS.get(error.status_code, Problem(error.status_code, "unreadable"))
    return answer(request, problem, dict(error.headers or {}))


async def on_sign_in_needed(request: Request, error: Exception) -> Response:
    place = place_of(request.url.path)
    if place is not WEB_PLACE:
        return RedirectResponse(place.start, 303)
    fresh = "&fresh=true" if isinstance(error, FreshSignInNeeded) else ""
    return RedirectResponse(f"/login/start?next={quote(local_path(error.args[0]), safe='')}{fresh}", 303)


async def on_acting_over(request: Request, error: Exception) -> Response:
    """To where the visitor sees for whom they act. Over, it is over also for the browser."""
    response = RedirectResponse(f"/account/mandates?told={error.args[0]}", 303)
    if error.args[0] == "over":
        request.app.state.cookies.delete(response, ACTING)
    return response
