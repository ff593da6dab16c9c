"""What its source says of evidence, and what time and the end of a case make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from chassis import schedule
from chassis.database import Session
from chassis.schedule import Due
from contracts.actors import SYSTEM, Actor
from contracts.errors import InvalidInput, NotFound
from contracts.events import CaseEvidenceAnswered, CaseEvidenceOverdue, EvidenceOverdue
from services.cases import domain as case_rules
from services.cases import store as cases
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case
from services.cases.drafts.access import id_in
from services.cases.evidence import answering, domain, store
from services.cases.evidence.case import LIMIT, as_platform, enter, take_back, tell_source
from services.cases.evidence.desk import Desk
from services.cases.evidence.domain import Answer, Content, Evidence
from services.cases.registries import commands as registries
from services.cases.work import clock

_AGAIN: Final = timedelta(seconds=1)

CASE_ENDED: Final = "case-ended"


def answer(
    session: Session,
    catalogue: Catalogue,
    desk: Desk,
    actor: Actor,
    evidence_id: object,
    said: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """What a source says of one request: a program of it, or its officer. The same answer again changes nothing."""
    known = id_in(evidence_id)
    found = store.load(session, desk.seal, known) if known else None
    if found is None or not answering.is_source(session, actor, found[0]):
        raise NotFound("evidence", str(evidence_id)[:64])
    allowed = answering.allowed_to(session, found[0], now)
    if allowed is None:
        raise NotFound("evidence", str(evidence_id)[:64])
    given = answering.read(said, found[0], catalogue, clock.day_of(now), allowed)
    evidence = take_answer(session, desk, found[0].id, given, actor, now)
    registries.withdraw(session, evidence.id, now)
    return {"id": evidence.id, "status": evidence.status}


def take_answer(session: Session, desk: Desk, evidence_id: str, given: Answer, actor: Actor, now: datetime) -> Evidence:
    """An answer that was checked, however it came. Raise `ActionNotAllowed` if nobody waits for it."""
    found = store.load(session, desk.seal, evidence_id)
    if found is None:
        raise NotFound("evidence", evidence_id)
    case = cases.lock_case(session, found[0].number)
    locked = store.load(session, desk.seal, evidence_id, for_update=True)
    if case is None or locked is None:
        raise NotFound("evidence", evidence_id)
    evidence, content = locked
    if evidence.answered_at and _is_the_same(evidence, content, given):
        return evidence
    answered = domain.answered(evidence, given, now)
    schedule.cancel(session, LIMIT, evidence.id)
    store.save(session, answered)
    store.save_content(session, desk.seal, evidence.id, Content(content.keys, given.fields, given.reason))
    enter(
        session, case, CaseEvidenceAnswered, as_platform(actor), now, document=evidence.document, outcome=given.result
    )
    return answered


def _is_the_same(evidence: Evidence, content: Content, given: Answer) -> bool:
    after = (domain.PROVIDED, domain.USED) if given.result == domain.PROVIDED else (given.result,)
    same_fields = dict(content.fields) == dict(given.fields)
    return evidence.status in after and same_fields and evidence.valid_until == given.valid_until


def pass_limit(session: Session, desk: Desk, due: Due, now: datetime) -> None:
    """The source has not answered in time. A case that is in somebody's hands is left for a second (`work.timing`)."""
    found = store.load(session, desk.seal, due.key)
    if found is None or not found[0].may(domain.PASS_LIMIT):
        return
    case = cases.lock_case_at_once(session, found[0].number)
    if case is None:
        schedule.at(session, now + _AGAIN, LIMIT, due.key, {})
        return
    locked = store.load(session, desk.seal, due.key, for_update=True)
    if locked is None or not locked[0].may(domain.PASS_LIMIT):
        return
    evidence = domain.overdue(replace(locked[0], sequence=locked[0].sequence + 1))
    store.save(session, evidence)
    tell_source(session, evidence, case, EvidenceOverdue, SYSTEM)
    enter(session, case, CaseEvidenceOverdue, SYSTEM, now, document=evidence.document, giver=evidence.source)


def follow(session: Session, desk: Desk, case: Case, now: datetime) -> None:
    """A case has ended: nobody is asked for it any more, and what was not used is deleted. The case is locked."""
    if case.status not in case_rules.ENDED:
        return
    for evidence in store.list_states(session, case.number, for_update=True):
        store.end_consent(session, evidence.id, CASE_ENDED, now)
        if evidence.may(domain.END):
            store.save_content(session, desk.seal, evidence.id, None)
            store.save(session, take_back(session, case, evidence, domain.ended(evidence), SYSTEM, now))


def require_not_fetched(session: Session, number: str, documents: set[str | None]) -> None:
    """Nobody demands from the applicant what is being fetched. Raise `InvalidInput` for each such document."""
    fetched = [
        each.document
        for each in store.list_states(session, number)
        if each.document in documents and each.status in domain.FETCHED
    ]
    if fetched:
        raise InvalidInput([{"pointer": "/missing", "rule": "evidence.fetched", "value": each} for each in fetched])
