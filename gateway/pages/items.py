"""A service item: what it is, what it needs, and the form to apply."""

from __future__ import annotations

import uuid

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, StepUpRequired
from gateway.pages.forms import FilledForm
from gateway.pages.visits import Visited, text_in

router = APIRouter(prefix="/items")


@router.get("/{code:code}")
async def show_item(visit: Visited, code: str) -> Response:
    return visit.render("item.html", item=await visit.items.get(code))


@router.get("/{code:code}/apply")
async def show_form(visit: Visited, code: str) -> Response:
    item = await visit.items.get(code)
    visitor = visit.signed_in
    # nobody fills in a form that they may not send
    if item.get("assurance", 1) > max(visit.actor.acr, 1):
        raise StepUpRequired(item["assurance"])
    form = FilledForm.empty(item, visit.say)
    # made with the form, so that a form sent twice files one case
    return visit.render("apply.html", item=item, form=form, key=str(uuid.uuid4()), visitor_name=visitor.name)


@router.post("/{code:code}/apply")
async def submit_form(visit: Visited, code: str) -> Response:
    item = await visit.items.get(code)
    posted = await visit.form()
    form = FilledForm.posted(item, posted, visit.say)
    key = text_in(posted, "idempotency_key")[:255] or str(uuid.uuid4())
    try:
        case = await visit.call("cases.submit_case", code, form.content, key)
    except InvalidInput as error:
        form = form.with_faults(error.faults)
        return visit.render("apply.html", status=422, item=item, form=form, key=key, visitor_name=visit.signed_in.name)
    return RedirectResponse(f"{visit.place.base}/cases/{case['number']}?submitted=1", 303)
