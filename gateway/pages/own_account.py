"""How sure it is who I am, what is known of me, and the end of my account."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, ServiceUnavailable, SignInRefused, TooManyAttempts
from gateway import own_data
from gateway.pages.visits import MAX_ADDRESS, Visit, Visited, local_path, text_in
from gateway.problems import sentence
from gateway.sessions import leave

router = APIRouter(prefix="/account")

ASSURANCE = "/account/assurance"
_STATUS = {"no-match": 422, "unavailable": 503, "limited": 503}
_MAX_PASSWORD = 1_000

Level = Annotated[int | None, Query(ge=1, le=3)]
Next = Annotated[str | None, Query(max_length=MAX_ADDRESS + 100)]


async def _call(visit: Visit, name: str, *args: Any) -> Any:
    """As the visitor themselves, also while they act for somebody: these pages are about them."""
    return await visit.rpc.call(name, *args, actor=visit.signed_in.actor)


@router.get("/assurance")
async def show_assurance(visit: Visited, level: Level = None, next: Next = None) -> Response:  # noqa: A002
    return await _assurance(visit, level, next)


@router.post("/assurance/registry")
async def check_registry(visit: Visited, level: Level = None, next: Next = None) -> Response:  # noqa: A002
    said = text_in(await visit.form(), "id_number")[:100]
    try:
        checked = await _call(visit, "identity.check_registry", said or None)
    except InvalidInput as error:
        return await _assurance(visit, level, next, 422, sentence(error.faults[0], visit.say), said)
    except TooManyAttempts:
        return await _assurance(visit, level, next, 429, visit.say("registry.too-many"), said)
    except ServiceUnavailable:
        checked = {"outcome": "unavailable"}
    if checked["outcome"] == "match":
        return RedirectResponse(_onward(next), 303)
    fault = visit.say.word("registry", checked["outcome"])
    return await _assurance(visit, level, next, _STATUS.get(checked["outcome"], 422), fault, said)


def _onward(address: str | None) -> str:
    """Back to what wanted the level; else here again, by a sign-in without questions that brings the new level."""
    target = local_path(address)
    if target.startswith("/oauth/authorize?"):
        return target
    return f"/login/start?next={quote(target if target != '/' else ASSURANCE, safe='')}"


async def _assurance(
    visit: Visit, level: int | None, address: str | None, status: int = 200, fault: str = "", said: str = ""
) -> Response:
    known = await _call(visit, "identity.get_assurance")
    target = local_path(address)
    query = f"?next={quote(target, safe='')}" if target != "/" else ""
    return visit.render(
        "assurance.html",
        status=status,
        known=known,
        wanted=level,
        onward=_onward(address) if level is not None and level <= known["level"] else None,
        action=f"{ASSURANCE}/registry{query}{f'&level={level}' if query and level else ''}",
        fault=fault,
        said=said,
    )


@router.get("/data")
async def show_data(visit: Visited) -> Response:
    _ = visit.signed_in
    return visit.render("own_data.html")


@router.get("/data.json")
async def download_data(visit: Visited) -> Response:
    data = await own_data.gather(partial(_call, visit))
    base_url = visit.request.app.state.settings.base_url
    elsewhere = {
        "cases": f"{base_url}/api/v1/cases",
        "messages": f"{base_url}/api/v1/inbox",
        "access_log": f"{base_url}/account/access-log",
    }
    body = json.dumps(data | {"elsewhere": elsewhere}, ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="onehall.json"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/json", headers=headers)


@router.get("/close")
async def show_closing(visit: Visited) -> Response:
    _ = visit.signed_in
    return visit.render("close_account.html", fault="")


@router.post("/close")
async def close_account(visit: Visited) -> Response:
    posted = await visit.form()
    if text_in(posted, "sure") != "yes":
        return visit.render("close_account.html", status=422, fault=visit.say("close.not-sure"))
    password = str(posted.get("password", ""))[:_MAX_PASSWORD]
    try:
        await _call(visit, "identity.close_account", password)
    except SignInRefused:
        return visit.render("close_account.html", status=422, fault=visit.say("close.wrong-password"))
    # those that this does not reach, because `cases` is away, end by themselves, and nobody can open them
    with suppress(ServiceUnavailable):
        await _call(visit, "cases.discard_own_drafts")
    await visit.request.app.state.web_sessions.end(visit.signed_in.secret)
    response = RedirectResponse("/account-closed", 303)
    leave(visit.request, response)
    return response


closed = APIRouter()


@closed.get("/account-closed")
async def show_closed(visit: Visited) -> Response:
    return visit.render("account_closed.html")
