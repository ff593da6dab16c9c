"""The access log in plain words: who looked at my data, at what, and why."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, TooManyAttempts
from gateway.languages import Catalogue
from gateway.limits import MAX_REASON
from gateway.pages.visits import Visit, Visited, text_in
from gateway.problems import sentence

router = APIRouter(prefix="/account/access-log")

A_PAGE = 20


@router.get("")
async def show_access_log(
    visit: Visited,
    number: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    case = number.replace("\x00", "").strip() or None
    entries = await visit.call("identity.list_access_log", None, case, cursor, A_PAGE)
    for entry in entries["items"]:
        entry["change"] = change_in_words(visit.say, entry.get("detail"))
        entry["client"] = client_name(visit.say, entry.get("client_id"), entry["client"])
    reported = "reported" in visit.request.query_params
    return visit.render("access_log.html", entries=entries, number=case, cursor=cursor, reported=reported)


@router.get("/{entry:uuid}/report")
async def show_report(visit: Visited, entry: UUID) -> Response:
    _ = visit.signed_in
    return _report_page(visit, entry)


@router.post("/{entry:uuid}/report")
async def report(visit: Visited, entry: UUID) -> Response:
    reason = text_in(await visit.form(), "reason")[: MAX_REASON + 1]
    try:
        await visit.call_as_oneself("identity.report_look", str(entry), reason)
    except InvalidInput as invalid:
        return _report_page(visit, entry, reason, sentence(invalid.faults[0], visit.say), 422)
    except TooManyAttempts as error:
        return _report_page(visit, entry, reason, visit.say("second.wait", seconds=error.args[0]), 429)
    return RedirectResponse("/account/access-log?reported=1", 303)


def _report_page(visit: Visit, entry: UUID, reason: str = "", fault: str = "", status: int = 200) -> Response:
    return visit.render("access_log_report.html", status, entry=entry, reason=reason, fault=fault)


def change_in_words(say: Catalogue, detail: str | None) -> str:
    """What was changed of an account as staff, from its codes: `granted clerk,officer civil-affairs civic-centre`."""
    if detail is None:
        return ""
    done, *post = detail.split(" ")
    families = ("actor", "department", "hall-name")
    words = [
        say.word(family, code)
        for family, codes in zip(families, post, strict=False)
        for code in codes.split(",")
        if code != "-"
    ]
    colon, comma = (": ", ", ") if say.language == "en" else ("：", "、")
    return say.word("staff-change", done) + (colon + comma.join(words) if words else "")


def client_name(say: Catalogue, client_id: str | None, registered: str) -> str:
    """The platform's own clients are named in the reader's language, all others as they are registered."""
    word = say.word("client-name", client_id)
    return registered if client_id is None or word == client_id else word
