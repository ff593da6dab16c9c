"""Where I am signed in, and which apps have something of mine. Each can be ended."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from gateway.pages.security import ask
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/account/sessions")

PAGE = "/account/sessions"
MAX_NAME = 200
SESSION, OTHERS, APP = "session", "others", "app"


@router.get("")
async def show_sessions(visit: Visited, told: Annotated[str, Query(max_length=20)] = "") -> Response:
    known = await ask(visit, "list_sessions", back=PAGE)
    return visit.render("sessions.html", **known, told=told if told in (SESSION, OTHERS, APP) else "")


@router.get("/end")
async def go_to_sessions() -> Response:
    return RedirectResponse(PAGE, 303)


@router.post("/end")
async def end(visit: Visited) -> Response:
    """The first time it asks whether that is meant; what is meant never stands in an address."""
    posted = await visit.form()
    what, name = text_in(posted, "what"), text_in(posted, "id")[:MAX_NAME]
    if text_in(posted, "sure") != "yes":
        return await _confirm(visit, what, name)
    match what:
        case "session":
            await ask(visit, "end_session", name, back=PAGE)
        case "others":
            await ask(visit, "end_other_sessions", back=PAGE)
        case "app":
            await ask(visit, "end_app", name, back=PAGE)
        case _:
            return RedirectResponse(PAGE, 303)
    # our own pages that were open elsewhere, as far as this process remembers them
    visit.request.app.state.web_sessions.forget_of(visit.signed_in.actor.subject)
    return RedirectResponse(f"{PAGE}?told={what}", 303)


async def _confirm(visit: Visit, what: str, name: str) -> Response:
    known = await ask(visit, "list_sessions", back=PAGE)
    possible: dict[str, list[dict[str, Any]]] = {
        SESSION: [one for one in known["sessions"] if one["id"] == name and not one["is_this"]],
        APP: [one for one in known["apps"] if one["client"] == name],
        OTHERS: [{}],
    }
    meant = next(iter(possible.get(what, [])), None)
    if meant is None:
        # it is over already, or never was
        return RedirectResponse(PAGE, 303)
    return visit.render("sessions_end.html", what=what, name=name, meant=meant)
