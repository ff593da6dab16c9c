"""Results on pages: the one of a case, with its document, and one's certificates."""

from __future__ import annotations

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.errors import ActionNotAllowed, InvalidInput
from gateway.certificates.giving import give_out
from gateway.languages import is_language
from gateway.pages.visits import Visit, Visited, text_in
from gateway.places import KIOSK_PLACE

router = APIRouter(prefix="/cases")
certificates = APIRouter(prefix="/certificates")

A_PAGE = 20


@router.get("/{number:code}/result")
async def show_result(visit: Visited, number: str) -> Response:
    return await _show(visit, number)


async def _show(visit: Visit, number: str, status: int = 200, fault: str = "", note: str = "") -> Response:
    result = await visit.call("cases.get_result", number)
    base_url = visit.request.app.state.settings.base_url
    # at a kiosk nothing can be kept: the phone is where it is taken
    address = f"/cases/{number}/result" if visit.place is KIOSK_PLACE else f"/verify/{result['code']}"
    qr = segno.make(base_url + address, error="m", micro=False)
    return visit.render(
        "result.html",
        status,
        headers={"Cache-Control": "no-store"},
        result=result,
        case=number,
        qr=qr.svg_inline(border=4, omitsize=True, svgclass="oh-qr__svg", lineclass=None),
        verify_page=f"{base_url}/verify",
        is_staff=bool(visit.actor.roles),
        fault=fault,
        note=note,
    )


@router.get("/{number:code}/result.pdf")
async def download_result(visit: Visited, number: str, language: Annotated[str, Query(max_length=20)] = "") -> Response:
    if visit.place is KIOSK_PLACE or visit.request.headers.get("sec-fetch-site") == "cross-site":
        # nothing is left behind where the next person stands; and whoever takes it has it, so another site's page
        # cannot make them
        return RedirectResponse(f"{visit.place.base}/cases/{number}/result", 303)
    chosen = language if is_language(language) else visit.say.language
    _ = visit.signed_in
    try:
        return await give_out(visit.rpc, visit.actor, number, chosen, visit.request.app.state.settings.base_url)
    except ActionNotAllowed:
        return await _show(visit, number, 409, visit.say("result.no-more"))


@router.post("/{number:code}/result/revocation")
async def revoke_result(visit: Visited, number: str) -> Response:
    posted = await visit.form()
    reason, note = text_in(posted, "reason")[:64], text_in(posted, "note")
    try:
        await visit.call("cases.revoke_result", number, reason, note)
    except ActionNotAllowed:
        return await _show(visit, number, 409, visit.say("result.no-more"), note)
    except InvalidInput as error:
        return await _show(visit, number, 422, _fault(visit, error), note)
    return RedirectResponse(f"{visit.place.base}/cases/{number}/result", 303)


@router.get("/{number:code}/result/revocation")
async def return_to_result(visit: Visited, number: str) -> Response:
    """Where a page that answered a post lands when it is loaded again or read in another language."""
    return RedirectResponse(f"{visit.place.base}/cases/{number}/result", 303)


def _fault(visit: Visit, error: InvalidInput) -> str:
    places = {fault["pointer"] for fault in error.faults}
    return visit.say("result.reason-needed" if "/reason" in places else "case.note-needed")


@certificates.get("")
async def list_certificates(visit: Visited, cursor: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    """One's own, also for who acts for somebody just now: theirs are seen at their cases."""
    _ = visit.signed_in
    found: dict[str, Any] = await visit.rpc.call("cases.list_certificates", cursor, A_PAGE, actor=visit.signed_in.actor)
    return visit.render("certificates.html", headers={"Cache-Control": "no-store"}, found=found, cursor=cursor)
