"""The inbox, and how the account wants to be told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from gateway.languages import is_language
from gateway.pages.visits import Visited
from gateway.sessions import LANGUAGE, LANGUAGE_SECONDS

router = APIRouter(prefix="/inbox")

A_PAGE = 20
CHANNELS = ("inbox", "mail")


@router.get("")
async def show_inbox(visit: Visited, cursor: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    inbox = await visit.call("notify.list_inbox", cursor, A_PAGE)
    return visit.render("inbox.html", inbox=inbox, cursor=cursor)


@router.post("/{entry:code}/read")
async def mark_read(visit: Visited, entry: str) -> Response:
    await visit.call("notify.mark_read", entry)
    return RedirectResponse(f"/inbox#entry-{entry}", 303)


@router.get("/preferences")
async def show_preferences(visit: Visited) -> Response:
    preferences = await visit.call("notify.get_preferences")
    return visit.render("preferences.html", preferences=preferences, saved="saved" in visit.request.query_params)


@router.post("/preferences")
async def set_preferences(visit: Visited) -> Response:
    posted = await visit.form()
    locale = str(posted.get("locale", ""))
    channels = [channel for channel in CHANNELS if channel in posted.getlist("channels")]
    if not is_language(locale):
        return RedirectResponse("/inbox/preferences", 303)
    await visit.call("notify.set_preferences", {"locale": locale, "channels": channels})
    response = RedirectResponse("/inbox/preferences?saved=1", 303)
    visit.cookies.set(response, LANGUAGE, locale, LANGUAGE_SECONDS)
    return response
