"""What a department is asked to provide for cases of others: its worklist, one request, and the answer by a form."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from contracts.errors import ActionNotAllowed, Fault, InvalidInput, NotPermitted
from gateway.languages import Catalogue
from gateway.pages.evidence import due_on, key_label
from gateway.pages.form_fields import Choice, Field, Section
from gateway.pages.forms import FilledForm
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/work/evidence")

PAGE = "/work/evidence"
A_PAGE = 20
WAITING: Final = ("asked", "overdue")
RESULTS: Final = ("provided", "not-found", "needs-citizen")
_OF_CONTENT = "field-"
"""Put before the names of what the evidence says, which are the catalogue's."""
_MAX_VALUE, _MAX_REASON = 1_000, 500


@router.get("")
async def list_requests(
    visit: Visited,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    told: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """What the officer's department has not answered, the most urgent first. It names nobody."""
    found = await visit.call("cases.list_evidence_requests", cursor, A_PAGE)
    rows = [each | {"due_on": due_on(each, visit)} for each in found["items"]]
    return visit.render(
        "evidence_requests.html", rows=rows, next=found["next"], cursor=cursor, is_answered=told == "answered"
    )


@router.get("/{request:code}")
async def show_request(visit: Visited, request: str) -> Response:
    found = await visit.call("cases.get_evidence_request", request)
    return _page(visit, found, _form(found, None, visit.say))


@router.post("/{request:code}")
async def answer_request(visit: Visited, request: str) -> Response:
    posted = await visit.form()
    # its fields say of what type is what was typed; looking again so soon is the same look
    found = await visit.call("cases.get_evidence_request", request)
    form = _form(found, posted, visit.say)
    try:
        await visit.call("cases.answer_evidence", request, _answer_in(posted, form))
    except InvalidInput as error:
        return _page(visit, found, form.with_faults(_at_fields(error.faults, form)), 422)
    except (ActionNotAllowed, NotPermitted):
        # answered by a colleague, taken back, ended, or so late that the consent is over
        return _page(visit, found, form, 409)
    return RedirectResponse(f"{PAGE}?told=answered", 303)


def _page(visit: Visit, found: dict[str, Any], form: FilledForm, status: int = 200) -> Response:
    labels = found.get("labels", {})
    return visit.render(
        "evidence_request.html",
        status,
        {"Cache-Control": "no-store"},
        request=found | {"due_on": due_on(found, visit)},
        found_by=[(key_label(name, labels, visit.say), value) for name, value in found["keys"].items()],
        form=form,
        is_waiting=status != 409 and found["status"] in WAITING,
        is_too_late=status == 409,
        has_content=bool(found.get("form")),
    )


def _form(found: dict[str, Any], posted: FormData | None, say: Catalogue) -> FilledForm:
    """The fields of an answer; of what the evidence says those that its paper has, as its schema has them."""
    typed: FormData | dict[str, str] = posted if posted is not None else {}
    says = found.get("form")
    results = RESULTS if says else RESULTS[1:]
    choices = tuple(Choice(result, say(f"evidence.answer-{result}")) for result in results)
    answer = (
        _field("result", say("evidence.answer-result"), "radios", typed, choices=choices, is_required=True),
        _field("reason", say("evidence.answer-reason"), "textarea", typed, most=_MAX_REASON),
    )
    sections = [Section(say("evidence.answer"), answer)]
    content: dict[str, Any] = {}
    if says:
        filled = _content(says, posted, say)
        content = filled.content
        valid_until = _field("valid_until", say("evidence.answer-valid-until"), "text", typed, kind="date")
        sections.append(Section(say("evidence.answer-fields"), (*filled.sections[0].fields, valid_until)))
    return FilledForm(tuple(sections), content, say)


def _content(says: dict[str, Any], posted: FormData | None, say: Catalogue) -> FilledForm:
    """What the evidence says, as the form of an item: with the control of each field, and read back as its type."""
    properties = {f"{_OF_CONTENT}{name}": schema for name, schema in says["properties"].items()}
    required = [f"{_OF_CONTENT}{name}" for name in says["required"]]
    item = {
        "form": {"properties": properties, "required": required},
        "layout": [{"title": {}, "fields": list(properties)}],
    }
    return FilledForm.empty(item, say) if posted is None else FilledForm.posted(item, posted, say)


def _field(
    name: str,
    label: str,
    control: str,
    posted: FormData | dict[str, str],
    *,
    kind: str = "text",
    choices: tuple[Choice, ...] = (),
    is_required: bool = False,
    most: int | None = None,
) -> Field:
    value = str(posted.get(name, ""))[:_MAX_VALUE]
    return Field(name, label, "", control, kind, is_required, most, choices, value)


def _answer_in(posted: FormData, form: FilledForm) -> dict[str, Any]:
    """As it was typed, what does not belong together, too: `cases` says what is wrong with it."""
    fields = {name.removeprefix(_OF_CONTENT): value for name, value in form.content.items()}
    said: dict[str, Any] = {
        name: text_in(posted, name) for name in ("number", "asked_at", "result", "valid_until", "reason")
    }
    return {name: value for name, value in said.items() if value} | (
        {"fields": fields} if fields or said["result"] == RESULTS[0] else {}
    )


def _at_fields(faults: list[Fault], form: FilledForm) -> list[Fault]:
    """Each at the field of the page: what is wrong with the content as a whole at its first."""
    names = [each.name for section in form.sections for each in section.fields]
    first = next((name for name in names if name.startswith(_OF_CONTENT)), "result")
    return [_at_field(fault, first) for fault in faults]


def _at_field(fault: Fault, first: str) -> Fault:
    pointer = fault["pointer"]
    if pointer == "/result":
        return Fault(pointer=pointer, rule="required", value=True)
    if pointer == "/asked_at":
        return Fault(pointer="/result", rule=fault["rule"], value=fault["value"])
    if pointer == "/fields":
        # it says nothing at all, or it is said of what is not there
        is_empty = fault["rule"] == "minProperties"
        rule = "required" if is_empty else fault["rule"]
        return Fault(pointer=f"/{first if is_empty else 'result'}", rule=rule, value=fault["value"])
    at_field = pointer.replace("/fields/", f"/{_OF_CONTENT}", 1)
    return Fault(pointer=at_field, rule=fault["rule"], value=fault["value"])
