"""Drafts: a form that was begun, saved as typed, and gone on with here or on another device.

A draft's id is the key that its form files with (`idempotency_key`), so a form that is sent twice, or saved and sent
at once, is one case.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import JSONResponse, RedirectResponse, Response

from contracts.errors import NotFound, TooManyDrafts
from gateway.pages.documents import asks_for_documents, brought_later, described, document_names
from gateway.pages.evidence import offers
from gateway.pages.form_fields import as_posted, shown_value
from gateway.pages.forms import FilledForm
from gateway.pages.visits import Visit, Visited, text_in
from gateway.places import VISIT_PLACE

router = APIRouter(prefix="/drafts")

MAX_FIELDS = 200
JSON = "application/json"

Token = Annotated[str, Query(max_length=200)]


# before the addresses of drafts, which would take `go-on` for an id
@router.get("/go-on")
async def show_going_on(visit: Visited, token: Token = "") -> Response:
    """Where a QR code leads. Only the button uses it up: browsers fetch links that nobody has followed."""
    _ = visit.signed_in
    try:
        found = await visit.call("cases.get_handover", token)
    except NotFound:
        return visit.render("draft_go_on.html", status=404, item=None, token="")
    return visit.render("draft_go_on.html", item=await visit.items.get(found["item"]), token=token)


@router.post("/go-on")
async def go_on(visit: Visited) -> Response:
    try:
        found = await visit.call("cases.take_over_draft", text_in(await visit.form(), "token")[:200])
    except NotFound:
        return visit.render("draft_go_on.html", status=404, item=None, token="")
    return RedirectResponse(f"{visit.place.base}/drafts/{found['draft']}", 303)


@router.get("/{draft:code}")
async def show_draft(visit: Visited, draft: str) -> Response:
    found = await visit.call("cases.get_draft", draft)
    query = visit.request.query_params
    told = next((word for word in ("saved", "outdated", "renewed") if word in query), "")
    if query.get("documents") == "next":
        told = "documents-next"
    form = FilledForm.filled(found["item"], found["draft"]["form"], visit.say)
    return draft_page(visit, found["item"], form, found=found, told=told)


def draft_page(
    visit: Visit,
    item: dict[str, Any],
    form: FilledForm,
    *,
    key: str = "",
    base: int = 0,
    found: dict[str, Any] | None = None,
    others: list[dict[str, Any]] | None = None,
    told: str = "",
    status: int = 200,
    ticked: Collection[str] = (),
) -> Response:
    """The form of an item, with all that belongs to a draft of it; `others` are drafts of the same item.

    `found` is what `cases.get_draft` answers. Without it this is no draft's page, or it is not known how it stands.
    `ticked`: consents of this very form, which is shown again; a draft keeps none.
    """
    draft = found["draft"] if found else None
    names = document_names(item, visit.say)
    has_documents = found is not None and "documents" in found
    return visit.render(
        "apply.html",
        status=status,
        item=item,
        form=form,
        key=draft["id"] if draft else key,
        base_revision=max(draft["revision"], base) if draft else base,
        documents=described(item, found["documents"], visit) if found and has_documents else [],
        documents_at=f"{visit.place.base}/drafts/{key or (draft['id'] if draft else '')}",
        offers=offers(item, visit.say, ticked),
        asks_documents=visit.place is not VISIT_PLACE and asks_for_documents(item),
        until_acceptance=brought_later(found["documents"], names) if found and has_documents else [],
        upload_target={"draft": key or (draft["id"] if draft else "")},
        may_attach=True,
        may_remove=True,
        attached="attached" in visit.request.query_params,
        draft=draft,
        others=others or [],
        told=told,
        left_over=_left_over(item, draft, visit) if draft else [],
        lost=_labels(item, draft["newer"]["left_over"], visit) if draft and draft.get("newer") else [],
        visitor_name=visit.signed_in.name,
    )


def _labels(item: dict[str, Any], names: list[str], visit: Visit) -> list[str]:
    properties = item["form"]["properties"]
    return [visit.say.pick(properties.get(name, {}).get("x-title")) or name for name in names]


def _left_over(item: dict[str, Any], draft: dict[str, Any], visit: Visit) -> list[tuple[str, str]]:
    """Answers of an older form. Its titles are gone with it, so a name that this form knows is shown by its title."""
    left: dict[str, Any] = draft.get("left_over") or {}
    labels = _labels(item, list(left), visit)
    return [(label, shown_value(value)) for label, value in zip(labels, left.values(), strict=True)]


@router.post("/{draft:code}")
async def save_draft(visit: Visited, draft: str) -> Response:
    """By the button, with the whole form; or by the page's script, which names the fields that were changed."""
    posted = await visit.form()
    item = await _item_of(visit, draft, posted)
    by_script = JSON in visit.request.headers.get("accept", "")
    form = FilledForm.posted(item, posted, visit.say, is_whole=not by_script)
    base = revision_in(posted)
    changes = _changes(item, form, posted, by_script=by_script)
    try:
        saved = await visit.call("cases.save_draft", draft, item["code"], changes, base)
    except TooManyDrafts:
        if by_script:
            raise
        return draft_page(visit, item, form, key=draft, base=base, told="too-many", status=409)
    if by_script:
        return JSONResponse(_told_script(visit, form, saved, changes))
    if saved["conflicts"]:
        form = form.with_conflicts(saved["conflicts"])
        return draft_page(visit, item, form, key=draft, base=saved["revision"], told="conflict", status=409)
    return RedirectResponse(f"{visit.place.base}/drafts/{draft}?saved=1", 303)


async def _item_of(visit: Visit, draft: str, posted: FormData) -> dict[str, Any]:
    """In the version whose form was filled in."""
    item = await visit.items.get(text_in(posted, "item")[:64])
    if str(item.get("version", "")) == text_in(posted, "item_version"):
        return item
    try:
        older: dict[str, Any] = (await visit.call("cases.get_draft", draft))["item"]
    except NotFound:
        return item
    return older


def revision_in(posted: FormData) -> int:
    text = text_in(posted, "base")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _changes(item: dict[str, Any], form: FilledForm, posted: FormData, *, by_script: bool) -> dict[str, Any]:
    properties = item["form"]["properties"]
    names = [str(name) for name in posted.getlist("changed")[:MAX_FIELDS]] if by_script else list(properties)
    return {name: form.content.get(name) for name in names if name in properties}


def _told_script(visit: Visit, form: FilledForm, saved: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    fields = {field.name: field for section in form.sections for field in section.fields}
    conflicts = [
        {
            "field": each["field"],
            "value": as_posted(each["stands"]),
            "said": visit.say(
                "draft.conflict",
                label=fields[each["field"]].label,
                value=fields[each["field"]].shown(each["stands"]) or visit.say("draft.nothing"),
                channel=visit.say.word("channel", each["channel"]),
            ),
        }
        for each in saved["conflicts"]
        if each["field"] in fields
    ]
    changed = {name: as_posted(value) for name, value in saved["changed"].items() if name not in changes}
    zone = visit.request.app.state.zone
    said = visit.say("draft.saved-at", at=visit.say.moment(saved["updated_at"], zone=zone))
    return {"revision": saved["revision"], "said": said, "conflicts": conflicts, "changed": changed}


@router.post("/{draft:code}/renew")
async def renew_draft(visit: Visited, draft: str) -> Response:
    await visit.form()
    await visit.call("cases.renew_draft", draft)
    return RedirectResponse(f"{visit.place.base}/drafts/{draft}?renewed=1", 303)


@router.post("/{draft:code}/delete")
async def delete_draft(visit: Visited, draft: str) -> Response:
    await visit.form()
    await visit.call("cases.delete_draft", draft)
    return RedirectResponse(f"{visit.place.base}/cases", 303)


@router.get("/{draft:code}/renew")
@router.get("/{draft:code}/delete")
async def return_to_draft(visit: Visited, draft: str) -> Response:
    """Where a page that answered a post lands when it is loaded again or read in another language."""
    return RedirectResponse(f"{visit.place.base}/drafts/{draft}", 303)


@router.get("/{draft:code}/qr")
async def show_qr_button(visit: Visited, draft: str) -> Response:
    return RedirectResponse(f"{visit.place.base}/drafts/{draft}", 303)


@router.post("/{draft:code}/qr")
async def show_qr(visit: Visited, draft: str) -> Response:
    """A code for the citizen's phone, once and for ten minutes. It signs nobody in."""
    await visit.form()
    offered = await visit.call("cases.hand_over_draft", draft)
    # in the query, which stays out of every log
    link = f"{visit.request.app.state.settings.base_url}/drafts/go-on?token={offered['token']}"
    qr = segno.make(link, error="m", micro=False).svg_inline(
        border=4, omitsize=True, svgclass="oh-qr__svg", lineclass=None
    )
    return visit.render("draft_qr.html", draft=draft, qr=qr, until=offered["expires_at"])
