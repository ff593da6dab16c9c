"""A joint case: one page for all its parts, and the form of a part that waits."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import ActionNotAllowed, InvalidInput
from gateway.pages.documents import described
from gateway.pages.forms import FilledForm
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/joint")

CORRECTING = "/parts/{part:code}/correct"


@router.get("/{number:code}")
async def show_joint_case(visit: Visited, number: str) -> Response:
    return await _show(visit, number)


async def _show(visit: Visit, number: str, status: int = 200, fault: str = "") -> Response:
    joint = await visit.call("cases.get_joint_case", number)
    parts = {part["item"]: part for part in joint["parts"]}
    return visit.render(
        "joint.html",
        status=status,
        joint=joint,
        asked=[part for part in joint["parts"] if part["answer_by"]],
        because={item: [parts[each]["item_name"] for each in part["because"]] for item, part in parts.items()},
        differing=[
            (each["title"], [parts[item]["item_name"] for item in each["parts"]]) for each in joint["differing"]
        ],
        is_mine=joint["applicant"] == visit.actor.subject,
        just_submitted="submitted" in visit.request.query_params,
        fault=fault,
        **_documents(visit, joint),
    )


def _documents(visit: Visit, joint: dict[str, Any]) -> dict[str, Any]:
    """What is handed in here once for all parts, and by whom it is asked for; a service of before does not say."""
    found = joint.get("documents")
    asked = {"documents": joint.get("asked_documents", [])}
    return {
        "documents": described(asked, found, visit) if found else [],
        "documents_at": f"{visit.place.base}/joint/{joint['number']}",
        "may_attach": bool(found) and joint["is_open"],
        "may_remove": False,
        "upload_target": {"joint": joint["number"]},
        "attached": "attached" in visit.request.query_params,
    }


@router.post("/{number:code}/withdraw")
async def withdraw(visit: Visited, number: str) -> Response:
    part = text_in(await visit.form(), "part")[:64]
    try:
        await visit.call("cases.act_on_joint_case", number, "withdraw", part or None)
    except ActionNotAllowed:
        return await _show(visit, number, 409, visit.say("case.action-too-late"))
    return RedirectResponse(f"{visit.place.base}/joint/{number}", 303)


@router.get("/{number:code}/withdraw")
async def return_to_joint_case(visit: Visited, number: str) -> Response:
    """Where a page that answered a post lands when it is loaded again or read in another language."""
    return RedirectResponse(f"{visit.place.base}/joint/{number}", 303)


@router.get("/{number:code}" + CORRECTING)
async def show_part(visit: Visited, number: str, part: str) -> Response:
    found = await visit.call("cases.get_joint_part", number, part)
    return _part_page(visit, number, found["item"], FilledForm.filled(found["item"], found["form"], visit.say))


@router.post("/{number:code}" + CORRECTING)
async def correct_part(visit: Visited, number: str, part: str) -> Response:
    found = await visit.call("cases.get_joint_part", number, part)
    posted = await visit.form()
    form = FilledForm.posted(found["item"], posted, visit.say)
    if more := form.newly_asked(posted):
        return _part_page(visit, number, found["item"], more)
    try:
        await visit.call("cases.act_on_joint_case", number, "correct", part, form.content)
    except InvalidInput as error:
        return _part_page(visit, number, found["item"], form.with_faults(error.faults), 422)
    except ActionNotAllowed:
        return await _show(visit, number, 409, visit.say("joint.begun-meanwhile"))
    return RedirectResponse(f"{visit.place.base}/joint/{number}", 303)


def _part_page(visit: Visit, number: str, item: dict[str, Any], form: FilledForm, status: int = 200) -> Response:
    return visit.render("joint_part.html", status=status, number=number, item=item, form=form)
