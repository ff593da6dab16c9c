"""Evidence on the pages: what is fetched for a case with its applicant's consent, and what one has consented to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from contracts.errors import ActionNotAllowed, CaseChanged, InvalidInput
from gateway.languages import Catalogue
from gateway.masking import is_identifier, mask
from gateway.pages import checks
from gateway.pages.days import last_day
from gateway.pages.documents import OPEN
from gateway.pages.form_fields import as_posted
from gateway.pages.visits import Visit, Visited, text_in

on_case = APIRouter(prefix="/cases")
own = APIRouter(prefix="/account/evidence")

OWN = "/account/evidence"
A_PAGE = 20

CONSENT: Final = "consent"
CONSENTS: Final = "_consent"
"""What a form has ticked; no field of an item's form can be called so."""
MOST_CONSENTS = 20

FETCHED: Final = ("asked", "provided", "used")
"""The applicant is not asked to bring the document."""
CAME_TO_NOTHING: Final = ("declined", "not-found", "needs-citizen", "overdue")
"""Of these the page says why, and what now."""
FAULTS: Final = ("too-late", "expired", "asks", "changed", "unfit")
"""What the page may say of an act that was refused. In the address, so that the page can be loaded again."""
CORRECTED: Final = "corrected"
TOLD: Final = ("withdrawn", "too-late")
MOST_ASKS = 3


def described(file: dict[str, Any], visit: Visit) -> list[dict[str, Any]]:
    """The documents of a case's file that are fetched, as the page shows them to its applicant or to staff.

    What was not fetched is of interest to the applicant alone, and only as long as the case is open.
    """
    case, item = file["case"], file["item"]
    is_open, is_own = case["status"] in OPEN, case.get("applicant") == visit.actor.subject
    names = {each["code"]: each for each in item.get("documents", ()) if "code" in each}
    shown = []
    for evidence in file.get("evidence", ()):
        # an open case was taken up again: it can be fetched anew
        status = "wanted" if evidence["status"] == "ended" and is_open else evidence["status"]
        if status in ("wanted", "ended") and not (is_own and is_open):
            continue
        document = names.get(evidence["document"], {"name": evidence["document"]})
        shown.append(
            {
                "code": evidence["document"],
                "name": visit.say.pick(document["name"]),
                "status": status,
                "source": source_of(evidence, visit.say),
                "due_on": due_on(evidence, visit),
                "valid_until": evidence["valid_until"],
                "origin": evidence["origin"],
                "is_taken_back": evidence.get("is_taken_back", False),
                "reason": evidence["reason"],
                "says": _says(evidence, visit.say, masked=is_own),
                "check": checks.described(evidence, visit.say, masked=is_own),
                "given": _given(document, item, case.get("form") or {}, visit.say),
                "may": evidence["may"],
                "fault": _fault(evidence["document"], visit),
                "is_corrected": _is_corrected(evidence["document"], visit),
            }
        )
    return shown


def left_to_applicant(file: dict[str, Any]) -> set[str]:
    """The documents that somebody else may have, and that the applicant may bring as well as things stand.

    Also those of an organisation that may not be asked (any more): they are not among the evidence.
    """
    there = {each["document"]: each["status"] for each in file.get("evidence", ())}
    documents = file["item"].get("documents", ())
    elsewhere = {each["code"] for each in documents if each.get("source") == "department" and each.get("keys")}
    return {code for code in elsewhere | set(there) if there.get(code) not in FETCHED}


def fetched(file: dict[str, Any]) -> set[str]:
    """The documents that nobody asks of the applicant."""
    return {each["document"] for each in file.get("evidence", ()) if each["status"] in FETCHED}


@dataclass(frozen=True, slots=True)
class Offer:
    """A document that a form asks consent for: who has it, and the answers that they are given to find it by."""

    code: str
    name: str
    source: str
    given: str
    is_ticked: bool


def offers(item: dict[str, Any], say: Catalogue, ticked: Collection[str] = ()) -> list[Offer]:
    """The documents of an item that need not be brought; `ticked` are those that were ticked on this very form."""
    return [
        Offer(
            code=each["document"],
            name=say.pick(each["name"]),
            source=source_of(each, say),
            given=_titles(each["keys"], item, say),
            is_ticked=each["document"] in ticked,
        )
        for each in item.get("fetched") or ()
    ]


def consents_in(posted: FormData) -> list[str]:
    """What was ticked on a form; what is none of the item's, `cases` says."""
    return list(dict.fromkeys(str(code)[:64] for code in posted.getlist(CONSENTS)))[:MOST_CONSENTS]


def source_of(evidence: dict[str, Any], say: Catalogue) -> str:
    name = say.pick(evidence["source_name"])
    return name or say.word("department", evidence["source"])


def due_on(evidence: dict[str, Any], visit: Visit) -> str | None:
    return last_day(evidence["due_at"], visit.request.app.state.zone) if evidence["due_at"] else None


def key_label(name: str, labels: dict[str, Any], say: Catalogue) -> str:
    """Of a member of what evidence says, or is found by."""
    if name in labels:
        return say.pick(labels[name]["title"])
    return say.word("evidence", f"key-{name}").removeprefix("key-")


def value_in_words(name: str, value: Any, labels: dict[str, Any], say: Catalogue) -> str:
    if isinstance(value, bool):
        return say("form.yes" if value else "form.no")
    posted = as_posted(value)
    words = labels.get(name, {}).get("values", {})
    parts = posted if isinstance(posted, list) else [posted]
    return ", ".join(say.pick(words.get(part)) or part for part in map(str, parts))


def _says(evidence: dict[str, Any], say: Catalogue, *, masked: bool) -> list[tuple[str, str]]:
    """In the order of the labels. Identifiers masked for whose they are; who decides by them needs them whole."""
    labels = evidence["labels"]
    order = {name: at for at, name in enumerate(labels)}
    says = []
    for name in sorted(evidence["fields"], key=lambda each: order.get(each, len(order))):
        value = value_in_words(name, evidence["fields"][name], labels, say)
        is_number = name.endswith("id_number") or is_identifier(name, {})
        says.append((key_label(name, labels, say), mask(value) if masked and is_number else value))
    return says


def _given(document: dict[str, Any], item: dict[str, Any], form: dict[str, Any], say: Catalogue) -> str:
    """The names of the answers in the form that its source is given to find it by."""
    return _titles([field for field in document.get("keys", {}).values() if field in form], item, say)


def _titles(fields: list[str], item: dict[str, Any], say: Catalogue) -> str:
    properties = item.get("form", {}).get("properties", {})
    titles = [say.pick(properties.get(field, {}).get("x-title")) or field for field in fields]
    return (", " if say.language == "en" else "、").join(titles)


def _fault(code: str, visit: Visit) -> str:
    query = visit.request.query_params
    fault = query.get("fault")
    if query.get("evidence") != code or fault not in FAULTS:
        return ""
    return visit.say("rule.evidence.asks", value=MOST_ASKS) if fault == "asks" else visit.say(f"evidence.{fault}")


def _is_corrected(code: str, visit: Visit) -> bool:
    query = visit.request.query_params
    return query.get("evidence") == code and query.get("told") == CORRECTED


@on_case.post("/{number:code}/evidence/{document:code}")
async def act_on_evidence(visit: Visited, number: str, document: str) -> Response:
    posted = await visit.form()
    told = {}
    try:
        if "correct" in posted:
            asked = (number, document, [text_in(posted, "correct")[:64]], version_in(posted))
            await visit.call("cases.correct_by_evidence", *asked)
            told = {"evidence": document, "told": CORRECTED}
        else:
            await _decide(visit, number, document, posted)
    except (ActionNotAllowed, CaseChanged, InvalidInput) as error:
        told = {"evidence": document, "fault": _fault_of(error)}
    query = f"?{urlencode(told)}" if told else ""
    return RedirectResponse(f"{visit.place.base}/cases/{number}{query}#evidence-{document}", 303)


async def _decide(visit: Visit, number: str, document: str, posted: FormData) -> None:
    act, reason = text_in(posted, "act")[:20], text_in(posted, "reason").strip()[: checks.MAX_REASON]
    if act == CONSENT:
        await visit.call("cases.consent_to_evidence", number, document)
    else:
        said = (act, reason) if reason and act == "use" else (act,)
        await visit.call("cases.decide_on_evidence", number, document, *said)


def version_in(posted: FormData) -> list[int] | None:
    """The version of the case that the page showed."""
    version = text_in(posted, "_version")
    return [int(version)] if version.isascii() and version.isdecimal() and len(version) < 10 else None


def _fault_of(error: ActionNotAllowed | CaseChanged | InvalidInput) -> str:
    if isinstance(error, CaseChanged):
        return "changed"
    if isinstance(error, ActionNotAllowed):
        return "expired" if error.args[1:] == ("expired",) else "too-late"
    if error.faults[0]["pointer"].startswith("/form/"):
        return "unfit"
    if error.faults[0]["rule"] != "evidence.asks":
        raise error
    return "asks"


@on_case.get("/{number:code}/evidence/{document:code}")
async def return_to_case(visit: Visited, number: str, document: str) -> Response:
    return RedirectResponse(f"{visit.place.base}/cases/{number}#evidence-{document}", 303)


@own.get("")
async def show_own_evidence(
    visit: Visited,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    told: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """What one has let be fetched for one's own cases, whoever one acts for otherwise."""
    found = await visit.call_as_oneself("cases.list_own_evidence", cursor, A_PAGE)
    rows = [
        each | {"source": source_of(each, visit.say), "due_on": due_on(each, visit), "until": _until(each, visit)}
        for each in found["items"]
    ]
    shown = told if told in TOLD else ""
    return visit.render("evidence_own.html", rows=rows, next=found["next"], cursor=cursor, told=shown)


def _until(evidence: dict[str, Any], visit: Visit) -> str | None:
    """The last whole day of the consent."""
    return (
        last_day(evidence["consented_until"], visit.request.app.state.zone) if "withdraw" in evidence["may"] else None
    )


@own.post("/{number:code}/{document:code}")
async def withdraw_consent(visit: Visited, number: str, document: str) -> Response:
    told = "withdrawn"
    try:
        await visit.call_as_oneself("cases.decide_on_evidence", number, document, "withdraw")
    except ActionNotAllowed:
        told = "too-late"
    return RedirectResponse(f"{OWN}?told={told}", 303)


@own.get("/{number:code}/{document:code}")
async def return_to_own_evidence(visit: Visited, number: str, document: str) -> Response:
    return RedirectResponse(OWN, 303)
