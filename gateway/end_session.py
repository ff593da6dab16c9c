"""Signing out at a client's wish (OpenID Connect RP-Initiated Logout 1.0). Identity decides; here are its pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import HTTPException
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from gateway.content_policy import policy_for_redirect
from gateway.pages.visits import MAX_ADDRESS, Visit, Visited
from gateway.security import is_from_another_site
from gateway.sessions import SESSION, leave

PATH = "/oauth/logout"
PARAMETERS = ("id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")
DECISIONS = ("sign-out", "stay")


async def ask_to_sign_out(visit: Visited) -> Response:
    return await _answer(visit, visit.request.scope["query_string"].decode("latin-1"), None)


async def sign_out_by_post(visit: Visited) -> Response:
    """Of a client, or of our own confirmation page."""
    form = await visit.form()
    parameters = _parameters(form)
    if is_from_another_site(visit.request, visit.request.app.state.settings.base_url):
        return await _come_again(visit, parameters)
    decision = str(form.get("decision", ""))
    return await _answer(visit, urlencode(parameters), decision if decision in DECISIONS else None)


def _parameters(form: FormData) -> list[tuple[str, str]]:
    """What a client may say, and never a decision, which is the person's."""
    parameters = [(name, str(value)) for name, value in form.multi_items() if name in PARAMETERS]
    if sum(len(value) for _, value in parameters) > MAX_ADDRESS:
        raise HTTPException(413)
    return parameters


async def _come_again(visit: Visit, parameters: list[tuple[str, str]]) -> Response:
    """A post of another site comes without cookies, so the same is posted again by a page of ours.

    Not as an address, in which the ID token would stand, with what it says of a person.
    """
    page = await _ask(visit, urlencode(parameters), None, None)
    if page["page"] == "error":
        return _error(visit, page)
    policy = {"Content-Security-Policy": policy_for_redirect(page["redirect_uri"])}
    return visit.render("form_post.html", headers=policy, action=PATH, fields=parameters)


async def _answer(visit: Visit, parameters: str, decision: str | None) -> Response:
    page = await _ask(visit, parameters, visit.cookies.read(visit.request, SESSION), decision)
    visit.speak_one_of(page.get("ui_locales"))
    match page["page"]:
        case "confirm":
            policy = {"Content-Security-Policy": policy_for_redirect(page["redirect_uri"])}
            return visit.render("sign_out.html", headers=policy, asked=page, action=PATH)
        case "stayed":
            return RedirectResponse("/", 303)
        case "error":
            return _error(visit, page)
        case "redirect":
            response: Response = RedirectResponse(page["location"], 303)
        case _:
            # nobody is signed in any more, so the page must not say who was
            visit.visitor = None
            response = visit.render("signed_out.html", back=page["location"], client=page["client"])
    leave(visit.request, response)
    return response


async def _ask(visit: Visit, parameters: str, session: str | None, decision: str | None) -> dict[str, Any]:
    page: dict[str, Any] = await visit.rpc.call("identity.answer_end_session", parameters, session, decision)
    return page


def _error(visit: Visit, page: dict[str, Any]) -> Response:
    return visit.render("sign_out_error.html", status=400, error=page)
