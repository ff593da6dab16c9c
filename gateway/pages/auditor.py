"""What auditors work on: whether the access log is whole, changes of staff, and what citizens report of looks."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput
from gateway.limits import MAX_ANSWER
from gateway.pages.access_log import change_in_words, client_name
from gateway.pages.visits import Visit, Visited, text_in
from gateway.problems import sentence

router = APIRouter(prefix="/auditor")

A_PAGE = 20
STATES = ("open", "answered")

Cursor = Annotated[str | None, Query(max_length=200)]


@router.get("")
async def to_auditor() -> Response:
    return RedirectResponse("/auditor/", 303)


@router.get("/")
async def show_overview(visit: Visited) -> Response:
    shown = await visit.call_as_oneself("identity.get_audit_overview")
    _in_words(visit, shown["changes"])
    return visit.render("auditor.html", **shown)


@router.get("/staff")
async def show_changes(visit: Visited, cursor: Cursor = None) -> Response:
    changes = await visit.call_as_oneself("identity.list_staff_changes", cursor, A_PAGE)
    _in_words(visit, changes)
    return visit.render("auditor_staff.html", changes=changes)


def _in_words(visit: Visit, changes: dict[str, Any]) -> None:
    for change in changes["items"]:
        change["said"] = change_in_words(visit.say, change["detail"])


@router.get("/reports")
async def show_reports(
    visit: Visited, state: Annotated[str, Query(max_length=20)] = STATES[0], cursor: Cursor = None
) -> Response:
    chosen = state if state in STATES else STATES[0]
    reports = await visit.call_as_oneself("identity.list_look_reports", chosen, cursor, A_PAGE)
    return visit.render("auditor_reports.html", reports=reports, chosen=chosen, states=STATES)


@router.get("/reports/{report:uuid}")
async def show_report(visit: Visited, report: UUID) -> Response:
    return await _report_page(visit, report)


@router.post("/reports/{report:uuid}")
async def answer_report(visit: Visited, report: UUID) -> Response:
    answer = text_in(await visit.form(), "answer")[: MAX_ANSWER + 1]
    try:
        await visit.call_as_oneself("identity.answer_look_report", str(report), answer)
    except InvalidInput as invalid:
        return await _report_page(visit, report, answer, sentence(invalid.faults[0], visit.say))
    return RedirectResponse(f"/auditor/reports/{report}", 303)


async def _report_page(visit: Visit, report: UUID, answer: str = "", fault: str = "") -> Response:
    shown = await visit.call_as_oneself("identity.get_look_report", str(report))
    shown["client"] = client_name(visit.say, shown["client_id"], shown["client_id"])
    shown["change"] = change_in_words(visit.say, shown["detail"])
    return visit.render("auditor_report.html", 422 if fault else 200, report=shown, written=answer, fault=fault)
