"""What is read of evidence: by its applicant, by who handles the case, by the source that is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from contracts import access
from contracts.actors import Actor
from contracts.errors import NotFound, NotPermitted
from services.cases import domain as case_rules
from services.cases import looks, paging
from services.cases import store as cases
from services.cases.case_number import is_case_number
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.crossing.domain import significant
from services.cases.domain import Case
from services.cases.drafts.access import id_in
from services.cases.evidence import answering, domain, offering, store, views
from services.cases.evidence.desk import Desk
from services.cases.evidence.domain import Evidence
from services.cases.evidence.sources import sources_of
from services.cases.registries import checking
from services.cases.registries import store as registries
from services.cases.registries.agreements import allowing
from services.cases.registries.comparing import Compared, differences
from services.cases.results import queries as results

_UNSEEN = frozenset({domain.PROVIDED, domain.DECLINED})
"""Of these nobody but the applicant sees what they say."""


def list_of_case(
    session: Session, catalogue: Catalogue, desk: Desk, actor: Actor, number: str, purpose: str | None = None
) -> list[dict[str, Any]]:
    """`evidence_of` a case that the reader may see."""
    found = cases.load_case_with_form(session, number) if is_case_number(number) else None
    if found is None:
        raise NotFound("case", str(number)[:64])
    case_rules.require_visible(actor, found[0])
    return evidence_of(session, catalogue, desk, actor, *found, purpose)


def evidence_of(
    session: Session,
    catalogue: Catalogue,
    desk: Desk,
    actor: Actor,
    case: Case,
    form: Mapping[str, Any],
    purpose: str | None = None,
) -> list[dict[str, Any]]:
    """Every document of the case that is fetched, or could be, and what its applicant may do about each now.

    Whoever else is shown what one says has looked at it. No query for a case of an item that fetches nothing.
    """
    item = VERSIONS.get(session, catalogue, case.item, case.item_version)
    sources = sources_of(item.description, catalogue)
    if not sources:
        return []
    is_own = case_rules.CITIZEN in case_rules.parts_of(actor, case)
    there = {each.document: (each, content) for each, content in store.list_of_case(session, desk.seal, case.number)}
    reasons = checking.reasons_of(session, desk.seal, [each.id for each, _ in there.values()]) if there else {}
    left = [source for document, source in sources.items() if document not in there]
    askable = {each.document for each in offering.askable(session, left, case.item, datetime.now(UTC))}
    certificates = [
        each.origin_id for each, _ in there.values() if each.origin == domain.CERTIFICATE and each.origin_id
    ]
    taken_back = results.taken_back(session, certificates)
    may_act = is_own and case.status in case_rules.OPEN
    shown = []
    for document, source in sources.items():
        if document not in there:
            if document in askable:
                shown.append(views.offered_view(source, catalogue, [domain.CONSENT] if may_act else []))
            continue
        evidence, content = there[document]
        is_shown = is_own or evidence.status not in _UNSEEN
        compared = checking.compared_with(
            item.description, document, evidence.paper, form, content.fields if is_shown else {}, catalogue
        )
        may = _may(evidence, compared) if may_act else []
        seen = views.evidence_view(evidence, content, catalogue, may, is_shown=is_shown)
        seen["is_taken_back"] = evidence.origin_id in taken_back
        shown.append(seen | {"check": checking.view(compared, item.description, reasons.get(evidence.id))})
    if any(each["fields"] or each["reason"] or each["check"]["reason"] for each in shown):
        looks.note(session, actor, case, access.EVIDENCE, purpose)
    return shown


def _may(evidence: Evidence, compared: tuple[Compared, ...]) -> list[str]:
    """What its applicant may do about it while the case is open."""
    acts = [act for act in domain.APPLICANTS if evidence.may(act)]
    return [*acts, domain.CORRECT] if differences(compared) and domain.can_correct(evidence) else acts


def list_requests(
    session: Session, catalogue: Catalogue, actor: Actor, cursor: str | None, limit: int | None
) -> dict[str, Any]:
    """What the actor's department or organisation has not answered, the most urgent first. It names nobody."""
    kind, source = _require_source(actor)
    size = paging.require_limit(limit)
    area = significant(actor.region) if actor.region else None
    rows = store.list_waiting(session, kind, source, area, _place(cursor), size + 1)
    page = paging.page(rows, size, key=_key, view=lambda each: views.request_view(each, catalogue))
    if kind == domain.ORGANISATION:
        agreements = registries.agreements_of(session, source)
        now = datetime.now(UTC)
        page["items"] = [each for each in page["items"] if allowing(agreements, each["paper"], each["item"], now)]
    return page


def get_request(
    session: Session, catalogue: Catalogue, desk: Desk, actor: Actor, evidence_id: object, now: datetime
) -> dict[str, Any]:
    """One request, for its source, with what it is to be found by while it waits: that is a look."""
    _require_source(actor)
    known = id_in(evidence_id)
    found = store.load(session, desk.seal, known) if known else None
    is_asked = found is not None and answering.is_source(session, actor, found[0])
    allowed = answering.allowed_to(session, found[0], now) if found and is_asked else None
    if found is None or allowed is None:
        raise NotFound("evidence", str(evidence_id)[:64])
    evidence, content = found
    if evidence.status not in domain.WAITING:
        return views.one_request_view(evidence, catalogue, {}, allowed)
    case = cases.load_case(session, evidence.number)
    if case is not None:
        looks.note_source(session, actor, case, now)
    return views.one_request_view(evidence, catalogue, content.keys, allowed)


def list_own_evidence(
    session: Session, catalogue: Catalogue, actor: Actor, cursor: str | None, limit: int | None
) -> dict[str, Any]:
    """What the citizen has consented to, the newest first. A look of who acts for them, or of a strange program."""
    if not actor.subject or case_rules.is_program(actor) or actor.mandate is not None:
        raise NotPermitted("list_own_evidence")
    size = paging.require_limit(limit)
    looks.note_own(session, actor, actor.subject, access.EVIDENCE)
    rows = store.list_of_applicant(session, actor.subject, _place(cursor), size + 1)
    return paging.page(
        rows,
        size,
        key=lambda each: f"{(each.consented_at or datetime.now(UTC)).isoformat()} {each.id}",
        view=lambda each: views.own_view(each, catalogue),
    )


def _require_source(actor: Actor) -> tuple[str, str]:
    source = answering.source_of(actor)
    if source is None:
        raise NotPermitted("answer_evidence")
    return source


def _key(evidence: Evidence) -> str:
    return f"{(evidence.due_at or datetime.now(UTC)).isoformat()} {evidence.id}"


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    key = paging.decode(cursor, _is_key)
    if key is None:
        return None
    at, _, known = key.partition(" ")
    return datetime.fromisoformat(at), known


def _is_key(key: str) -> bool:
    at, _, known = key.partition(" ")
    try:
        return datetime.fromisoformat(at).tzinfo is not None and id_in(known) is not None
    except ValueError:
        return False
