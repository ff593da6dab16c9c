"""Who may act for me, and for whom I may act: to give, accept and end it, and to begin and stop acting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, NotFound
from gateway.catalogue import ItemSearch
from gateway.pages.days import last_day
from gateway.pages.visits import Visit, Visited, text_in
from gateway.problems import sentence
from gateway.sessions import ACTING

router = APIRouter(prefix="/account/mandates")

PAGE = "/account/mandates"
ITEMS_SHOWN = 100
USUAL, LONGEST = timedelta(days=30), timedelta(days=365)
FIELDS = {"/agent": "agent", "/item": "about", "/number": "about", "/until": "until"}


@router.get("")
async def show_mandates(visit: Visited, told: Annotated[str, Query(max_length=20)] = "") -> Response:
    mandates = await visit.call("identity.list_mandates")
    items = await visit.items.search(ItemSearch(online=True, limit=ITEMS_SHOWN))
    names = {item["code"]: item["name"] for item in items["items"]}
    return visit.render(
        "mandates.html",
        mandates=mandates,
        names=names,
        told=told if told in TOLD else "",
        last_day=partial(last_day, zone=visit.request.app.state.zone),
    )


TOLD = ("granted", "over", "changed")
"""What a redirect to the page lets it say."""


@router.get("/new")
async def show_form(visit: Visited) -> Response:
    today = datetime.now(UTC).date()
    return await _form(visit, {"agent": "", "about": "", "until": f"{today + USUAL}"}, {})


@router.post("/new")
async def grant_mandate(visit: Visited) -> Response:
    posted = await visit.form()
    filled = {name: text_in(posted, name) for name in ("agent", "about", "until")}
    kind, _, code = filled["about"].partition(":")
    item, number = (code if kind == name else None for name in ("item", "number"))
    try:
        await visit.call("identity.grant_mandate", filled["agent"], item or None, number or None, filled["until"])
    except InvalidInput as error:
        faults = {FIELDS.get(fault["pointer"], "agent"): sentence(fault, visit.say) for fault in error.faults}
        return await _form(visit, filled, faults, 422)
    return RedirectResponse(f"{PAGE}?told=granted", 303)


async def _form(visit: Visit, filled: dict[str, str], faults: dict[str, str], status: int = 200) -> Response:
    cases: dict[str, Any] = await visit.call_as_oneself("cases.list_cases", None, ITEMS_SHOWN)
    items = await visit.items.search(ItemSearch(online=True, limit=ITEMS_SHOWN))
    mine = [case for case in cases["items"] if case["applicant"] == visit.signed_in.actor.subject]
    today = datetime.now(UTC).date()
    return visit.render(
        "mandate_new.html",
        status=status,
        filled=filled,
        faults=faults,
        items=items["items"],
        cases=mine,
        earliest=f"{today}",
        latest=f"{today + LONGEST}",
    )


@router.post("/stop")
async def stop_acting(visit: Visited) -> Response:
    response = RedirectResponse(PAGE, 303)
    visit.cookies.delete(response, ACTING)
    return response


@router.post("/{mandate:code}/accept")
async def accept_mandate(visit: Visited, mandate: str) -> Response:
    await visit.call("identity.accept_mandate", mandate)
    return RedirectResponse(PAGE, 303)


@router.post("/{mandate:code}/end")
async def end_mandate(visit: Visited, mandate: str) -> Response:
    await visit.call("identity.end_mandate", mandate)
    return RedirectResponse(PAGE, 303)


@router.post("/{mandate:code}/act")
async def begin_acting(visit: Visited, mandate: str) -> Response:
    """From now on cases are the other's; a mandate for one item leads to it, one for a case to that."""
    sessions = visit.request.app.state.web_sessions
    try:
        acting = await sessions.acting(visit.signed_in.secret, mandate)
    except NotFound:
        return RedirectResponse(f"{PAGE}?told=over", 303)
    where = f"/cases/{acting.number}" if acting.number else f"/items/{acting.item}" if acting.item else "/cases"
    response = RedirectResponse(where, 303)
    visit.cookies.set(response, ACTING, mandate)
    return response
