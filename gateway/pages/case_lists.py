"""Lists of cases: one's own, or a department's for its officers; filtered, searched, and as a file."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from contracts.actors import CHANNELS
from contracts.errors import InvalidInput
from gateway import case_rows as rows
from gateway.api.case_filters import Asked, CasesAsked
from gateway.pages.visits import Visit, Visited
from gateway.problems import sentence

router = APIRouter(prefix="/cases")

A_PAGE: Final = 20
EMPTY: Final[dict[str, Any]] = {"items": [], "next": None}

# in the order of reading; `approved` and `refused` are how a closed case has ended
OPEN: Final = ("submitted", "accepted", "provisionally_accepted", "correction_requested", "suspended")
ENDED: Final = ("approved", "refused", "not_accepted", "withdrawn", "lapsed")
DUE: Final = ("running", "due_soon", "overdue", "escalated", "stopped", "none")
ASSIGNED: Final = ("me", "nobody", "colleague")
SORTS: Final = ("filed", "limit")

Cursor = Annotated[str | None, Query(max_length=200)]


@router.get("")
async def list_cases(visit: Visited, asked: CasesAsked, cursor: Cursor = None) -> Response:
    # a service of the release before takes no filters
    arguments = (cursor, A_PAGE, dict(asked)) if asked else (cursor, A_PAGE)
    try:
        cases, faults, status = await visit.call("cases.list_cases", *arguments), {}, 200
    except InvalidInput as error:
        faults = {fault["pointer"].strip("/"): sentence(fault, visit.say) for fault in error.faults}
        cases, status = EMPTY, 422
    # on the first page only: they are few, and not part of the list
    drafts = (await visit.call("cases.list_drafts"))["items"] if cursor is None and not asked else []
    shown = {"cases": cases, "groups": groups_of(cases["items"]), "drafts": drafts, "asked": asked, "faults": faults}
    return visit.render("cases.html", status, **shown, **_choices(visit))


def groups_of(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts of a joint case stand together, where the newest of them is: `{"joint": None or it, "cases"}`."""
    groups: list[dict[str, Any]] = []
    of_joint: dict[str, dict[str, Any]] = {}
    for case in cases:
        joint = case.get("joint_case")
        if joint is not None and joint["number"] in of_joint:
            of_joint[joint["number"]]["cases"].append(case)
            continue
        group = {"joint": joint, "cases": [case]}
        groups.append(group)
        if joint is not None:
            of_joint[joint["number"]] = group
    return groups


def _choices(visit: Visit) -> dict[str, Any]:
    actor = visit.actor
    is_own = visit.place.name != "web" or visit.acting is not None
    return {
        "is_staff": not is_own and (actor.has_role("officer") or actor.has_role("clerk")),
        "may_export": not is_own and (actor.has_role("officer") or actor.has_role("operator")),
        "choices": {
            "open": OPEN,
            "ended": ENDED,
            "due": DUE,
            "assigned": ASSIGNED,
            "channel": CHANNELS,
            "sort": SORTS,
        },
    }


@router.get("/export")
async def show_files(visit: Visited, asked: CasesAsked, cursor: Cursor = None) -> Response:
    """What there is to take away: a file of so many rows, and where it goes on."""
    end = (await visit.call("cases.get_end_of_case_rows", dict(asked), cursor))["next"]
    this, following = {**asked, "cursor": cursor}, {**asked, "cursor": end}
    return visit.render(
        "cases_export.html",
        asked=asked,
        is_further=cursor is not None,
        file=f"/cases/export.csv?{urlencode({name: value for name, value in this.items() if value})}",
        following=f"/cases/export?{urlencode(following)}" if end else None,
        shown=_said(visit, asked),
    )


def _said(visit: Visit, asked: Asked) -> list[tuple[str, str]]:
    """What was asked for, in words."""
    families = {"status": "status", "channel": "channel", "due": "due-filter", "assigned": "assigned", "sort": "sort"}
    labels = {"from": "since"}
    return [
        (visit.say(f"cases-filter.{labels.get(name, name)}"), _word(visit, families.get(name), value))
        for name, value in asked.items()
    ]


def _word(visit: Visit, family: str | None, value: str) -> str:
    if family is None:
        return value
    if value in ("open", "ended"):
        return visit.say.word("cases-states", value)
    return visit.say.word(family, value)


@router.get("/export.csv")
async def export_cases(visit: Visited, asked: CasesAsked, cursor: Cursor = None) -> Response:
    end = (await visit.call("cases.get_end_of_case_rows", dict(asked), cursor))["next"]
    lines = rows.written(visit.rpc, visit.actor, asked, visit.say, cursor, end)
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="cases.csv"'}
    return StreamingResponse(lines, media_type=rows.MEDIA_TYPE, headers=headers)
