"""What people read of joint cases: one progress and one history over all parts. Nothing of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chassis.database import Session
from contracts import access
from contracts.actors import Actor
from contracts.errors import NotFound, NotPermitted
from services.cases import domain as case_rules
from services.cases import looks
from services.cases.case_number import is_case_number
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.domain import Case
from services.cases.joint import domain, store
from services.cases.joint.domain import JointCase, Part, Progress
from services.cases.paging import decode, page, require_limit
from services.cases.views import case_view, entry_view, time_view

_REASONED: Final = ("case.refused", "case.not-accepted")


def list_joint_cases(
    session: Session, catalogue: Catalogue, actor: Actor, cursor: str | None, limit: int | None
) -> dict[str, Any]:
    """The applicant's own, the newest first, each with its progress."""
    if not actor.subject or case_rules.is_program(actor):
        raise NotPermitted("list_joint_cases")
    size, before = require_limit(limit), decode(cursor, is_case_number)
    # a mandate is about one item, or about one case, which is nothing joint
    item = actor.mandate.item or "" if actor.mandate else None
    rows = store.list_of(session, actor.subject, item, before, size + 1)
    parts = store.parts_of(session, [joint.number for joint in rows[:size]])
    return page(
        rows,
        size,
        key=lambda joint: joint.number,
        view=lambda joint: joint_view(joint, domain.progress(parts[joint.number]), catalogue),
    )


def get_joint_case(session: Session, catalogue: Catalogue, actor: Actor, number: str) -> dict[str, Any]:
    """All that a page about it shows. A look at each part whose history is shown, if it is not the applicant's own."""
    joint = store.load(session, number) if is_case_number(number) else None
    if joint is None:
        raise NotFound("joint case", number)
    return whole_view(session, catalogue, actor, joint)


def get_part(session: Session, catalogue: Catalogue, actor: Actor, number: str, item: str) -> dict[str, Any]:
    """The form of a part that has not begun, for its applicant: `{"item", "form"}`. A look of who acts for them."""
    joint = store.load(session, number) if is_case_number(number) else None
    parts = store.load_parts(session, number) if joint else []
    part = next((each for each in parts if each.item == item), None)
    if joint is None or part is None or domain.roles_of(actor, joint, parts) != (case_rules.CITIZEN,):
        raise NotFound("joint case", number)
    if not part.is_held:
        raise NotFound("part", item)
    looks.note_own(session, actor, joint.applicant, access.CASE)
    described = VERSIONS.get(session, catalogue, part.item, part.item_version).description
    return {"item": described, "form": store.load_form(session, number, item)}


def whole_view(session: Session, catalogue: Catalogue, actor: Actor, joint: JointCase) -> dict[str, Any]:
    """Its progress, its history over all parts, and what differs between them."""
    parts = store.load_parts(session, joint.number)
    roles = domain.roles_of(actor, joint, parts)
    if not roles:
        raise NotFound("joint case", joint.number)
    seen = {part.case.number for part in parts if part.case and _is_seen(actor, joint, part.case)}
    for part in parts:
        if part.case is not None and part.case.number in seen:
            looks.note(session, actor, part.case, access.HISTORY)
    progress = domain.progress(parts)
    before = _open_before(actor, roles, parts, seen)
    items = {part.item: VERSIONS.get(session, catalogue, part.item, part.item_version) for part in parts}
    entries = store.load_history(session, joint.number)
    shown = [
        _part_view(each, items[each.part.item], catalogue)
        | {"before": [entry_view(entry) for entry in entries if _is_before(entry, each.part, before)]}
        | _seen_of(each.part, entries, seen)
        for each in progress
    ]
    is_own = roles == (case_rules.CITIZEN,)
    differing = _differing(session, catalogue, joint, parts, items) if is_own else []
    return joint_view(joint, progress, catalogue) | {
        "parts": shown,
        "history": [
            entry_view(entry) | {"number": entry.number, "item": entry.item, "item_name": items[entry.item].name}
            for entry in entries
            if entry.number in seen or (entry.number is None and entry.item in before)
        ],
        "differing": differing,
        "actions": ["withdraw"] if is_own and any(map(domain.can_withdraw, parts)) else [],
    }


def context_of(session: Session, catalogue: Catalogue, case: Case) -> dict[str, Any] | None:
    """Of a part: the whole that it is of, and the state of every part; nobody's form.

    `before` is what was done to this part while it waited.
    """
    joint = store.load(session, case.joint) if case.joint else None
    if joint is None:
        return None
    before = [entry_view(entry) for entry in store.load_before(session, joint.number, case.item)]
    whole = joint_view(joint, domain.progress(store.load_parts(session, joint.number)), catalogue)
    return whole | {"before": before}


def brief_views(session: Session, catalogue: Catalogue, cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Of the joint cases that these are parts of, by number: `{"number", "item_name"}`."""
    items = store.items_of(session, sorted({case.joint for case in cases if case.joint}))
    return {number: {"number": number, "item_name": catalogue.name_of(item)} for number, item in items.items()}


def joint_view(joint: JointCase, progress: list[Progress], catalogue: Catalogue) -> dict[str, Any]:
    return {
        "number": joint.number,
        "item": joint.item,
        "item_name": catalogue.name_of(joint.item),
        "item_version": joint.item_version,
        "applicant": joint.applicant,
        "channel": joint.channel,
        "submitted_at": time_view(joint.submitted_at),
        "is_open": any(each.is_open for each in progress),
        "parts": [_state_view(each, catalogue) for each in progress],
    }


def _is_seen(actor: Actor, joint: JointCase, case: Case) -> bool:
    """An officer reads the history of the department's own parts, and of the others only where they are."""
    return actor.subject == joint.applicant or bool(case_rules.parts_of(actor, case))


def _open_before(actor: Actor, roles: Sequence[str], parts: Sequence[Part], seen: set[str]) -> set[str]:
    """The parts of which the actor reads what was done before they began: those whose history is open to them, and of
    those that have none yet the applicant's and the clerk's."""
    reads_all = actor.has_role(case_rules.CLERK) or case_rules.CITIZEN in roles
    return {part.item for part in parts if (part.case.number in seen if part.case else reads_all)}


def _seen_of(part: Part, entries: Sequence[Any], seen: set[str]) -> dict[str, Any]:
    """Whether the reader may open the part's case, and the reason that it ended for, if one was given."""
    case = part.case if part.case and part.case.number in seen else None
    notes = [entry.note for entry in entries if case and entry.number == case.number and entry.event in _REASONED]
    has_ended_so = case is not None and (case.decision == "refused" or case.status == case_rules.NOT_ACCEPTED)
    return {
        "can_open": case is not None,
        "reason": notes[-1] if notes and has_ended_so else None,
        "has_result": case is not None and case.decision is not None,
    }


def _is_before(entry: Any, part: Part, opened: set[str]) -> bool:
    return entry.number is None and entry.item == part.item and part.item in opened


def _state_view(each: Progress, catalogue: Catalogue) -> dict[str, Any]:
    case = each.part.case
    return {
        "item": each.part.item,
        "item_name": catalogue.name_of(each.part.item),
        "state": each.state,
        "because": [{"item": item, "item_name": catalogue.name_of(item)} for item in each.because],
        "number": case.number if case else None,
        "department": case.handled_by if case else None,
    }


def _part_view(each: Progress, item: ServiceItem, catalogue: Catalogue) -> dict[str, Any]:
    case = each.part.case
    facts = ("due", "answer_by", "delivered_by", "updated_at", "status", "decision")
    seen = case_view(case, catalogue) if case else dict.fromkeys(facts)
    return {
        "item": item.code,
        "item_name": item.name,
        "item_version": item.version,
        "department": case.handled_by if case else item.department,
        "department_name": item.description.get("department_name") if not case or not case.handler else None,
        "number": case.number if case else None,
        "state": each.state,
        "because": list(each.because),
        "needs": list(each.part.needs),
        "result": item.description["result"]["name"] if "result" in item.description else None,
        "can_withdraw": domain.can_withdraw(each.part),
        "can_correct": each.part.is_held,
        **{name: seen[name] for name in facts},
    }


def _differing(
    session: Session, catalogue: Catalogue, joint: JointCase, parts: list[Part], items: dict[str, ServiceItem]
) -> list[dict[str, Any]]:
    """Answers that were given once and are not the same in all parts any more: one was corrected, the others not."""
    whole = VERSIONS.get(session, catalogue, joint.item, joint.item_version)
    forms = store.load_forms(session, joint.number)
    told = []
    for field, described in whole.description["form"]["properties"].items():
        found = {
            part.item: forms[part.item].get(own)
            for part in whole.parts
            if part.item in forms and part.item in items
            for own, source in part.fields.items()
            if source == field and own in items[part.item].description["form"]["properties"]
        }
        if len({str(value) for value in found.values()}) > 1:
            told.append({"field": field, "title": described["x-title"], "parts": list(found)})
    return told
