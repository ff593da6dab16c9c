"""A service item: what it is, what it needs, and the form to apply."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, ItemVersionOutdated, NotFiledHere, NotFound, StepUpRequired, TooManyDrafts
from gateway.pages.documents import document_names
from gateway.pages.drafts import draft_page, revision_in
from gateway.pages.evidence import consents_in
from gateway.pages.forms import FilledForm
from gateway.pages.procedure import draw, limit_in_words
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/items")


@router.get("/{code:code}")
async def show_item(visit: Visited, code: str) -> Response:
    item = await visit.items.get(code)
    unit = item.get("day_unit", "working")
    promised, statutory = (
        limit_in_words(item[limit], unit, visit.say) if item.get(limit) is not None else ""
        for limit in ("promised_days", "statutory_days")
    )
    procedure = draw(item, visit.say)
    parts = [await visit.items.get(part["item"]) for part in item.get("parts", ())]
    return visit.render(
        "item.html", item=item, parts=parts, procedure=procedure, promised=promised, statutory=statutory
    )


@router.get("/{code:code}/apply")
async def show_form(visit: Visited, code: str) -> Response:
    item = await visit.items.get(code)
    _ = visit.signed_in
    # nobody fills in a form that they may not send
    if item.get("assurance", 1) > max(visit.actor.acr, 1):
        raise StepUpRequired(item["assurance"])
    others = await visit.call("cases.list_drafts", code)
    # made with the form, so that a form sent twice files one case; a draft of it is known by the same
    return draft_page(visit, item, FilledForm.empty(item, visit.say), key=str(uuid.uuid4()), others=others["items"])


@router.post("/{code:code}/apply")
async def submit_form(visit: Visited, code: str) -> Response:
    item = await visit.items.get(code)
    posted = await visit.form()
    form = FilledForm.posted(item, posted, visit.say)
    key = text_in(posted, "idempotency_key")[:255] or str(uuid.uuid4())
    ticked = consents_in(posted)
    if more := form.newly_asked(posted):
        return draft_page(visit, item, more, key=key, base=revision_in(posted), ticked=ticked)
    # where they can be handed in; the other button of that page brings later what may be brought later
    needs_documents = text_in(posted, "documents") == "asked" and "later" not in posted
    is_joint = "parts" in item
    said = _besides(_version_in(posted), needs_documents, ticked, is_joint=is_joint)
    try:
        if is_joint:
            joint = await visit.call("cases.submit_joint_case", code, form.content, key, *said)
            return RedirectResponse(f"{visit.place.base}/joint/{joint['number']}?submitted=1", 303)
        case = await visit.call("cases.submit_case", code, form.content, key, *said)
    except InvalidInput as error:
        if needs_documents and all(fault["rule"] == "document" for fault in error.faults) and "fresh" in posted:
            return await _ask_for_documents(visit, form, key, revision_in(posted))
        found = await _draft_of(visit, key) if "documents" in posted else None
        form = form.with_faults(error.faults, document_names(item, visit.say))
        base = revision_in(posted)
        return draft_page(visit, item, form, key=key, base=base, found=found, ticked=ticked, status=422)
    except NotFiledHere as error:
        return draft_page(visit, item, form.refused(_where_to_go(visit, error)), key=key, ticked=ticked, status=409)
    except ItemVersionOutdated:
        return await _show_newer_form(visit, form, key, revision_in(posted))
    return RedirectResponse(f"{visit.place.base}/cases/{case['number']}?submitted=1", 303)


def _version_in(posted: FormData) -> int | None:
    version = text_in(posted, "item_version")
    return int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else None


def _besides(version: int | None, needs_documents: bool, consents: list[str], *, is_joint: bool) -> tuple[Any, ...]:
    """What a filing says besides the form, as far as there is anything to say."""
    if consents:
        # files are no part of what a page sends: they are in the draft
        return (version, needs_documents, None, consents) if is_joint else (version, needs_documents, consents)
    if needs_documents:
        return (version, True)
    return () if version is None else (version,)


def _where_to_go(visit: Visit, error: NotFiledHere) -> str:
    _, department, _, region_name, halls = error.args
    names = visit.say("list.comma").join(visit.say.pick(name) for name in halls) or visit.say("crossing.no-hall")
    place = {"department": visit.say.word("department", department), "region": visit.say.pick(region_name)}
    return visit.say("crossing.go-to", halls=names, **place)


async def _ask_for_documents(visit: Visit, form: FilledForm, key: str, base: int) -> Response:
    """From the form alone: it becomes a draft, and on the draft's page the documents are handed in."""
    code = visit.request.path_params["code"]
    try:
        await visit.call("cases.save_draft", key, code, form.content, base)
    except TooManyDrafts:
        item = await visit.items.get(code)
        return draft_page(visit, item, form, key=key, base=base, told="too-many", status=409)
    return RedirectResponse(f"{visit.place.base}/drafts/{key}?documents=next#documents", 303)


async def _draft_of(visit: Visit, key: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = await visit.call("cases.get_draft", key)
    except NotFound:
        return None
    return found


async def _show_newer_form(visit: Visit, form: FilledForm, key: str, base: int) -> Response:
    """The form has changed since it was opened. Nothing that was typed is lost: it goes into the draft, or over."""
    code = visit.request.path_params["code"]
    visit.items.forget(code)
    if base:
        try:
            await visit.call("cases.save_draft", key, None, form.content, base)
        except (NotFound, InvalidInput):
            # deleted on another device meanwhile, or never there
            base = 0
        else:
            return RedirectResponse(f"{visit.place.base}/drafts/{key}?outdated=1", 303)
    item = await visit.items.get(code)
    newer = FilledForm.filled(item, form.content, visit.say)
    return draft_page(visit, item, newer, key=key, told="outdated", status=409)
