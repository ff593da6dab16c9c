"""Cases of who is signed in: the list, one with its history, and what may be done to it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from contracts.errors import (
    ActionNotAllowed,
    CaseChanged,
    CorrectionAlreadyRequested,
    InvalidInput,
    NotFound,
    NotPermitted,
)
from gateway.pages import case_work, evidence, progress
from gateway.pages.documents import OPEN, described
from gateway.pages.forms import FilledForm
from gateway.pages.visits import Visit, Visited, text_in
from gateway.problems import sentence

router = APIRouter(prefix="/cases")

_NEWER: dict[str, Any] = {"due": None, "answer_by": None, "delivered_by": None}
"""What a service of the release before does not say of a case."""

_ASKING = ("case.correction-requested", "case.provisionally-accepted")
APPLICANTS_ACTIONS = frozenset({"correct", "supply", "withdraw"})


@router.get("/{number:code}")
async def show_case(visit: Visited, number: str) -> Response:
    return await _show(visit, number)


async def _show(
    visit: Visit, number: str, status: int = 200, fault: str = "", note: str = "", fault_at: str = "actions"
) -> Response:
    file = await visit.call("cases.get_case_file", number)
    case, item = _NEWER | file["case"], file["item"]
    form = FilledForm.filled(item, case.get("form") or {}, visit.say) if item.get("form") else None
    return visit.render(
        "case.html",
        status=status,
        case=case,
        item=item,
        history=file["history"],
        actions=file["actions"],
        joint=file.get("joint"),
        form=form,
        forms=case_work.forms_of(file, visit.say),
        plain=[action for action in case_work.PLAIN if action in file["actions"]],
        missing=case_work.missing_of(file, visit.say),
        crossing=case_work.crossing_of(file, visit.say),
        steps=case_work.steps_of(file, visit.say),
        notes=file.get("notes", []),
        result=file.get("result"),
        assigned=file.get("assigned"),
        is_mine=_is_mine(visit, file["actions"]),
        rating=await _rating(visit, case),
        fault=fault,
        fault_at=fault_at,
        note=note,
        just_submitted="submitted" in visit.request.query_params,
        evidence=evidence.described(file, visit),
        **_section(visit, file),
        **_documents(visit, file),
        **progress.code_of(visit, case),
    )


def _section(visit: Visit, file: dict[str, Any]) -> dict[str, Any]:
    """An officer has come from the worklist."""
    return {"section": "/work"} if file.get("assigned") and visit.actor.has_role("officer") else {}


def _documents(visit: Visit, file: dict[str, Any]) -> dict[str, Any]:
    case = file["case"]
    is_open = case["status"] in OPEN
    may_attach = case.get("applicant") == visit.actor.subject and is_open
    also = evidence.left_to_applicant(file) if may_attach else ()
    documents = described(file["item"], file["documents"], visit, also) if "documents" in file else []
    return {
        # nothing is missing of what has ended: a paper may have been shown at the counter
        "documents": [each for each in documents if is_open or each["files"]],
        "documents_at": f"{visit.place.base}/cases/{case['number']}",
        "may_attach": may_attach,
        "may_remove": False,
        "upload_target": {"case": case["number"]},
        "attached": "attached" in visit.request.query_params,
    }


def _is_mine(visit: Visit, actions: list[str]) -> bool:
    """Staff file cases of their own, too: then they may do to them what an applicant may."""
    return not visit.actor.roles or bool(APPLICANTS_ACTIONS.intersection(actions))


async def _rating(visit: Visit, case: dict[str, Any]) -> dict[str, Any] | None:
    if case["status"] != "closed":
        return None
    try:
        rating: dict[str, Any] = await visit.call("rating.get_rating", case["number"])
    except NotFound:
        return None
    return rating


@router.get("/{number:code}/actions")
async def return_to_case(visit: Visited, number: str) -> Response:
    """Where a page that answered an action lands when it is loaded again or read in another language."""
    return RedirectResponse(f"{visit.place.base}/cases/{number}", 303)


@router.post("/{number:code}/actions")
async def act_on_case(visit: Visited, number: str) -> Response:
    posted = await visit.form()
    action, note = text_in(posted, "action"), text_in(posted, "note")
    try:
        await visit.call("cases.act_on_case", number, action, note or None, None, *_besides(posted, action))
    except ActionNotAllowed:
        return await _show(visit, number, 409, visit.say("case.action-too-late"), note)
    except CaseChanged:
        return await _show(visit, number, 412, visit.say("case.changed-meanwhile"), note)
    except CorrectionAlreadyRequested:
        return await _show(visit, number, 409, visit.say("case.correction-once"), note)
    except NotPermitted:
        return await _show(visit, number, 403, visit.say("case.action-not-yours"), note)
    except InvalidInput as error:
        at = "actions" if action in case_work.WITH_FIELDS else "note"
        return await _show(visit, number, 422, _note_fault(visit, error), note, at)
    return RedirectResponse(f"{visit.place.base}/cases/{number}", 303)


def _besides(posted: FormData, action: str) -> tuple[Any, ...]:
    details, version = case_work.details_in(posted, action), _version_in(posted)
    return (details, *version[1:]) if details or version else ()


def _version_in(posted: FormData) -> tuple[Any, ...]:
    """The version of the case that the page showed, for the last two arguments of an action."""
    version = text_in(posted, "_version")
    return (None, [int(version)]) if version.isascii() and version.isdigit() and len(version) < 10 else ()


def _note_fault(visit: Visit, error: InvalidInput) -> str:
    fault = error.faults[0]
    if fault["rule"] == "required":
        return visit.say("case.note-needed" if fault["pointer"] == "/note" else "case.choice-needed")
    return sentence(fault, visit.say)


@router.post("/{number:code}/notes")
async def add_note(visit: Visited, number: str) -> Response:
    text = text_in(await visit.form(), "text")
    try:
        await visit.call("cases.add_note", number, text)
    except InvalidInput as error:
        return await _show(visit, number, 422, _note_fault(visit, error))
    return RedirectResponse(f"{visit.place.base}/cases/{number}#notes", 303)


@router.get("/{number:code}/notes")
async def return_from_notes(visit: Visited, number: str) -> Response:
    return RedirectResponse(f"{visit.place.base}/cases/{number}", 303)


@router.get("/{number:code}/correct")
async def show_correction(visit: Visited, number: str) -> Response:
    file = await visit.call("cases.get_case_file", number)
    if _answering(file) is None:
        return RedirectResponse(f"{visit.place.base}/cases/{number}", 303)
    form = FilledForm.filled(file["item"], file["case"].get("form") or {}, visit.say)
    return _correction_page(visit, file, form)


@router.post("/{number:code}/correct")
async def correct_case(visit: Visited, number: str) -> Response:
    file = await visit.call("cases.get_case_file", number)
    posted = await visit.form()
    form = FilledForm.posted(file["item"], posted, visit.say)
    if more := form.newly_asked(posted):
        return _correction_page(visit, file, more)
    try:
        await visit.call(
            "cases.act_on_case", number, _answering(file) or "correct", None, form.content, *_version_in(posted)
        )
    except InvalidInput as error:
        return _correction_page(visit, file, form.with_faults(error.faults), 422)
    except ActionNotAllowed:
        return await _show(visit, number, 409, visit.say("case.action-too-late"))
    except CaseChanged:
        return await _show(visit, number, 412, visit.say("case.changed-meanwhile"))
    return RedirectResponse(f"{visit.place.base}/cases/{number}", 303)


def _answering(file: dict[str, Any]) -> str | None:
    """Which action brings what was asked for."""
    return next((action for action in ("correct", "supply") if action in file["actions"]), None)


def _correction_page(visit: Visit, file: dict[str, Any], form: FilledForm, status: int = 200) -> Response:
    asked = [entry for entry in file["history"] if entry["event"] in _ASKING]
    note = asked[-1]["note"] if asked else None
    missing = case_work.missing_of(file, visit.say)
    shown = {"case": _NEWER | file["case"], "item": file["item"], "form": form, "note": note, "missing": missing}
    return visit.render("correct.html", status=status, **shown)
