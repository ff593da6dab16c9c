"""What staff do to a case on its page: each action with the fields that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData

from gateway.languages import Catalogue
from gateway.pages.evidence import fetched
from gateway.pages.visits import text_in

PLAIN: Final = (
    "accept",
    "approve",
    "not_accept",
    "refuse",
    "resume",
    "claim",
    "release",
    "hand_back",
    "receive_papers",
    "withdraw",
)
"""Done with the note alone. The rest have a part of the page of their own."""

WITH_FIELDS: Final = (
    *("request_correction", "accept_provisionally", "finish_step", "suspend", "deliver", "assign", "delegate"),
    *("reopen", "transfer", "pass_on", "return_papers"),
)
_MISSING: Final = ("request_correction", "accept_provisionally")
_ONE: Final = {
    "suspend": "reason",
    "deliver": "way",
    "assign": "to",
    "delegate": "to",
    "finish_step": "to",
    "transfer": "to",
}


@dataclass(frozen=True, slots=True)
class ActionForm:
    """One action with what can be chosen for it: documents to tick, or one of several answers."""

    name: str
    documents: list[tuple[str, str]]
    field: str
    answers: list[tuple[str, str]]
    has_day: bool


def forms_of(file: dict[str, Any], say: Catalogue) -> list[ActionForm]:
    """For the actions of a case's file that take more than a note."""
    return [_form(name, file, say) for name in WITH_FIELDS if name in file["actions"]]


def details_in(posted: FormData, action: str) -> dict[str, Any] | None:
    """What the page says besides the note; what is wrong in it, the service says."""
    details: dict[str, Any] = {}
    if action in _MISSING:
        codes = [str(code)[:64] for code in posted.getlist("missing")][:50]
        details = {"missing": [{"document": code} for code in codes], "until": text_in(posted, "until")[:20]}
    elif action == "pass_on":
        form = text_in(posted, "paper_form")[:20] or "original"
        codes = [str(code)[:64] for code in posted.getlist("missing")][:50]
        details = {"papers": [{"document": code, "form": form} for code in codes]}
    elif action == "transfer":
        department, _, region = text_in(posted, "choice")[:64].partition(" ")
        details = {"to": department, "region": region}
    elif action in _ONE:
        details = {_ONE[action]: text_in(posted, "choice")[:64]}
        if action == "deliver" and details["way"] == "post":
            details["tracking"] = text_in(posted, "tracking")[:64]
    return {name: value for name, value in details.items() if value} or None


def missing_of(file: dict[str, Any], say: Catalogue) -> list[str]:
    """What the applicant is to bring, as was named last, in words; none while nothing is awaited."""
    if file["case"].get("answer_by") is None:
        return []
    asked = [entry for entry in file["history"] if (entry.get("details") or {}).get("missing")]
    return [_thing(each, file["item"], say) for each in asked[-1]["details"]["missing"]] if asked else []


def steps_of(file: dict[str, Any], say: Catalogue) -> list[dict[str, Any]]:
    """The steps of staff and platform on the way, with how far the case is: `done`, `here`, `ahead`."""
    steps = [step for step in file["item"].get("steps", ()) if not _is_aside(step, file["item"])]
    codes = [step["code"] for step in steps]
    case = file["case"]
    if case.get("step") not in codes:
        return []
    here = len(codes) if case["status"] == "closed" else codes.index(case["step"])
    states = ("done" if n < here else "here" if n == here else "ahead" for n in range(len(steps)))
    return [{"name": say.pick(step["name"]), "state": state} for step, state in zip(steps, states, strict=True)]


def _is_aside(step: dict[str, Any], item: dict[str, Any]) -> bool:
    """A correction, or an end that is no grant: not on the way that most cases go."""
    is_first = step["code"] == item["steps"][0]["code"]
    is_end = not step.get("next")
    return (step["role"] == "applicant" and not is_first) or (is_end and step["role"] != "platform")


def _form(name: str, file: dict[str, Any], say: Catalogue) -> ActionForm:
    given = file.get("choices", {}).get(name, [])
    names = {each["code"]: say.pick(each["name"]) for each in file["item"].get("documents", ())}
    # what is being fetched, or is there, nobody demands
    demanded = [code for code in given if code not in fetched(file)] if name in _MISSING else []
    passed_on = given if name == "pass_on" else []
    documents = [(code, names.get(code, code)) for code in (*demanded, *passed_on)]
    answers = [] if name in (*_MISSING, "pass_on") else _answers(name, given, file["item"], say)
    return ActionForm(name, documents, _ONE.get(name, ""), answers, has_day=name in _MISSING)


def _answers(name: str, given: list[Any], item: dict[str, Any], say: Catalogue) -> list[tuple[str, str]]:
    if name == "assign":
        return [(each["subject"], each["name"]) for each in given]
    if name == "transfer":
        return [(f"{each['department']} {each['region']}", _office(each, say)) for each in given]
    if name == "finish_step":
        steps = {step["code"]: say.pick(step["name"]) for step in item.get("steps", ())}
        return [(code, steps.get(code, code)) for code in given]
    family = {"suspend": "suspension", "deliver": "delivered-by", "delegate": "department"}.get(name)
    return [(code, say.word(family, code)) for code in given] if family else []


def _office(office: dict[str, Any], say: Catalogue) -> str:
    return f"{say.word('department', office['department'])}, {say.pick(office['region_name'])}"


def crossing_of(file: dict[str, Any], say: Catalogue) -> dict[str, Any] | None:
    """Where the papers of a case are that another hall took in, and who passed what to whom, in words."""
    crossing = file.get("crossing")
    if crossing is None:
        return None
    names = {each["code"]: say.pick(each["name"]) for each in file["item"].get("documents", ())}
    hall = crossing["filed_hall"]
    where = {"department": say.word("department", crossing["department"]), "region": say.pick(crossing["region_name"])}
    return {
        "filed": say("crossing.filed-here-decided-there", hall=_place(hall, say), **where) if hall else "",
        "papers": crossing["papers"],
        "trail": [
            entry
            | {
                "hands": say("crossing.from-to", giver=_place(entry["giver"], say), taker=_place(entry["taker"], say)),
                "papers": [_paper(each, names, say) for each in entry["papers"]],
                "checks": checks_in_words(entry.get("checks", []), say),
            }
            for entry in crossing["trail"]
        ],
    }


def checks_in_words(checks: list[str], say: Catalogue) -> str:
    """How it was seen at the counter who the applicant is; nothing of a case that was not filed at one."""
    said = say("list.comma").join(say.word("check", each) for each in checks)
    return say("crossing.checks", checks=said) if checks else ""


def _place(place: dict[str, Any], say: Catalogue) -> str:
    if place["code"] == "applicant":
        return say.word("actor", "citizen")
    return say.pick(place["name"]) if place["name"] else say.word("department", place["code"])


def _paper(paper: dict[str, Any], names: dict[str, str], say: Catalogue) -> str:
    name, form = names.get(paper["document"], paper["document"]), say.word("paper-form", paper["form"])
    copies = say("crossing.copies", copies=paper["copies"]) if paper["copies"] > 1 else ""
    return f"{name} ({form}) {copies}".rstrip()


def _thing(missing: dict[str, str], item: dict[str, Any], say: Catalogue) -> str:
    names = {each["code"]: say.pick(each["name"]) for each in item.get("documents", ())}
    fields = item.get("form", {}).get("properties", {})
    field = missing.get("field", "")
    named = names.get(missing.get("document", "")) or (say.pick(fields[field]["x-title"]) if field in fields else "")
    return " — ".join(part for part in (named, missing.get("text", "")) if part)
