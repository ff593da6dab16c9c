"""Documents on the pages of drafts and cases: handed in by a plain form, read as a download."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import ActionNotAllowed, InvalidInput
from contracts.files import EXTENSIONS, FAULTS, MAX_BYTES
from gateway.files.multipart import FileForm
from gateway.files.service import Files
from gateway.languages import Catalogue
from gateway.pages.visits import ActingOver, Visit, Visited

router = APIRouter()

OPEN = ("submitted", "accepted", "provisionally_accepted", "correction_requested", "suspended")
"""Of a case that something may still be handed in for; `cases` decides."""

NAMED = (*FAULTS, "name")
"""What the page may say of a file that was refused. In the address, so that the page can be loaded again."""


def described(
    item: dict[str, Any], found: dict[str, Any], visit: Visit, also: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The documents of a draft or case as the page shows them: those asked of the applicant, or that have files.

    `also`: others that the applicant may bring.
    """
    asked = {each["code"]: each for each in found["asked"]}
    shown = []
    for document in item.get("documents", ()):
        files = asked.get(document.get("code"), {}).get("files", [])
        if document["source"] != "applicant" and not files and document.get("code") not in also:
            continue
        code = document["code"]
        endings = [ending for kind in asked[code]["types"] for ending in EXTENSIONS[kind]]
        shown.append(
            {
                "code": code,
                # of a joint case: the parts that ask for it
                "parts": [visit.say.pick(part["item_name"]) for part in document.get("items", [])],
                "is_past": document.get("is_past", False),
                "name": visit.say.pick(document["name"]),
                "hint": visit.say.pick(document.get("hint")),
                "is_required": document["required"],
                "is_missing": code in found["missing"],
                "may_follow": code in found["may_follow"],
                "files": [_file(each, visit) for each in files],
                "takes": ", ".join(kind.upper() for kind in asked[code]["types"]),
                "accept": ",".join(f".{ending}" for ending in endings),
                "most": asked[code]["most"],
                "size": asked[code].get("most_bytes", MAX_BYTES) // 2**20,
                "fault": _fault(code, visit),
            }
        )
    return shown


def asks_for_documents(item: dict[str, Any]) -> bool:
    """Whether the applicant has to bring any, as `cases` will say when the form is filed without."""
    is_open = item.get("provisional_acceptance", {}).get("open", False)
    return any(
        document.get("required") and document["source"] == "applicant" and not (is_open and document.get("may_follow"))
        for document in item.get("documents", ())
    )


def brought_later(found: dict[str, Any], names: dict[str, str]) -> list[str]:
    """The names of the documents that are missing, if the application may be submitted without all of them."""
    later = found.get("until_acceptance", [])
    return [names.get(code, code) for code in later] if set(later) == set(found["missing"]) else []


def _file(file: dict[str, Any], visit: Visit) -> dict[str, Any]:
    fault = visit.say(f"rule.file.{file['fault']}") if file["fault"] in FAULTS else ""
    percent = 100 * file.get("received", 0) // file["length"] if file["length"] else 0
    return file | {"size": size(file["length"]), "said": fault, "percent": percent}


def size(length: int) -> str:
    return f"{length / 2**20:.1f} MB" if length >= 100_000 else f"{max(1, round(length / 1024))} KB"


def _fault(code: str, visit: Visit) -> str:
    """What is told of the upload that led here, at its document. Only words of ours."""
    query = visit.request.query_params
    fault, value = query.get("fault", ""), query.get("of", "")
    if query.get("document") != code:
        return ""
    if fault == "nothing":
        return visit.say("document.nothing-chosen")
    if fault in ("count", "total"):
        return visit.say(f"rule.file.{fault}", value=value if value.isdecimal() and len(value) < 6 else "")
    return visit.say(f"rule.file.{fault}") if fault in NAMED else ""


@router.post("/drafts/{draft:code}/documents/{document:code}")
async def add_to_draft(visit: Visited, draft: str, document: str) -> Response:
    return await _add(visit, {"draft": draft}, f"{visit.place.base}/drafts/{draft}", document)


@router.post("/joint/{number:code}/documents/{document:code}")
async def add_to_joint_case(visit: Visited, number: str, document: str) -> Response:
    """Once, for every part that asks for it."""
    return await _add(visit, {"joint": number}, f"{visit.place.base}/joint/{number}", document)


@router.post("/cases/{number:code}/documents/{document:code}")
async def add_to_case(visit: Visited, number: str, document: str) -> Response:
    return await _add(visit, {"number": number}, f"{visit.place.base}/cases/{number}", document)


async def _add(visit: Visit, target: dict[str, str], page: str, document: str) -> Response:
    _ = visit.signed_in
    form = FileForm(visit.request)
    await form.begin()
    # as of every form: what is meant for one must not be handed in for another
    if form.fields.get("acting", "") != (visit.acting.mandate if visit.acting else ""):
        raise ActingOver("changed")
    told = {"attached": "1"}
    if not form.file_name:
        told = {"document": document, "fault": "nothing"}
    else:
        files: Files = visit.request.app.state.files
        try:
            await files.take_form(visit.request, form, visit.actor, target, document)
        except InvalidInput as error:
            told = {"document": document, **_of(error)}
        except ActionNotAllowed:
            # decided meanwhile: the page shows how it stands
            told = {}
    return RedirectResponse(f"{page}?{urlencode(told)}#document-{document}", 303)


def _of(error: InvalidInput) -> dict[str, str]:
    fault = error.faults[0]
    if fault["rule"] == "file":
        return {"fault": str(fault["value"])}
    return {"fault": fault["rule"].removeprefix("file."), "of": str(fault["value"])}


@router.get("/drafts/{draft:code}/documents/{document:code}")
async def return_to_draft(visit: Visited, draft: str, document: str) -> Response:
    return RedirectResponse(f"{visit.place.base}/drafts/{draft}#document-{document}", 303)


@router.get("/joint/{number:code}/documents/{document:code}")
async def return_to_joint_case(visit: Visited, number: str, document: str) -> Response:
    return RedirectResponse(f"{visit.place.base}/joint/{number}#document-{document}", 303)


@router.get("/cases/{number:code}/documents/{document:code}")
async def return_to_case(visit: Visited, number: str, document: str) -> Response:
    return RedirectResponse(f"{visit.place.base}/cases/{number}#document-{document}", 303)


@router.get("/documents/{file:code}")
async def read_document(visit: Visited, file: str) -> Response:
    files: Files = visit.request.app.state.files
    return await files.give_out(await visit.call("cases.get_attachment", file))


@router.post("/drafts/{draft:code}/remove-document")
async def remove_from_draft(visit: Visited, draft: str) -> Response:
    file = str((await visit.form()).get("file", ""))[:64]
    await visit.call("cases.delete_attachment", file)
    return RedirectResponse(f"{visit.place.base}/drafts/{draft}#documents", 303)


@router.get("/drafts/{draft:code}/remove-document")
async def return_from_removing(visit: Visited, draft: str) -> Response:
    return RedirectResponse(f"{visit.place.base}/drafts/{draft}#documents", 303)


def document_names(item: dict[str, Any], say: Catalogue) -> dict[str, str]:
    return {
        document["code"]: say.pick(document["name"]) for document in item.get("documents", ()) if "code" in document
    }
