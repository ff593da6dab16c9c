"""The applicant lets a document be fetched: from a certificate, from earlier evidence, or from its source."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from chassis import schedule
from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed
from contracts.events import CaseEvidenceAnswered, CaseEvidenceRequested, CaseEvidenceUsed, EvidenceRequested
from services.cases import domain as case_rules
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case
from services.cases.evidence import answering, domain, offering, store
from services.cases.evidence.case import LIMIT, enter, require_own, require_source, tell_source
from services.cases.evidence.checks import keep_check
from services.cases.evidence.desk import Desk
from services.cases.evidence.domain import Content, Evidence, Source
from services.cases.results import queries as results
from services.cases.work import clock

ASKED_ANEW: Final = "asked-anew"


def consent(
    session: Session, catalogue: Catalogue, desk: Desk, actor: Actor, number: str, document: object, now: datetime
) -> dict[str, Any]:
    """The applicant lets one document be fetched: it is there already, or its source is asked.

    Once again after nothing was found; a consent that is given twice is given once.
    """
    case, form = require_own(session, actor, number)
    if case.status not in case_rules.OPEN:
        raise ActionNotAllowed(domain.CONSENT, case.status)
    source = require_source(session, catalogue, case, document)
    found = {each.document: each for each in store.list_states(session, number, for_update=True)}
    evidence = found.get(source.document) or _new(session, case, source)
    if evidence.status in domain.FETCHED:
        return {"id": evidence.id, "status": evidence.status}
    allowed = answering.allowed_to(session, evidence, now)
    if allowed is None:
        # whoever has it may not be asked: it is the applicant's to bring
        raise ActionNotAllowed(domain.CONSENT, "no-agreement")
    evidence = domain.consented(evidence, now)
    store.end_consent(session, evidence.id, ASKED_ANEW, now)
    keys = {key: str(form[field]) for key, field in source.keys.items() if field in form}
    case, evidence, content = _fetch(session, desk, case, evidence, source, keys, actor, now)
    # what was fetched for another item may say more than its source may say for this one
    content = replace(content, fields=allowed.narrow(content.fields))
    store.save(session, evidence)
    store.save_content(session, desk.seal, evidence.id, content)
    store.add_consent(session, evidence, actor.hand, actor.channel)
    if evidence.status == domain.USED:
        item = VERSIONS.get(session, catalogue, case.item, case.item_version).description
        keep_check(session, desk, catalogue, item, form, evidence, content, None, now)
    return {"id": evidence.id, "status": evidence.status}


def consent_with_filing(
    session: Session, catalogue: Catalogue, desk: Desk, actor: Actor, number: str, documents: list[str], now: datetime
) -> None:
    """What the applicant said with the filing. A filing that is sent again consents to nothing anew.

    So a consent that was withdrawn meanwhile stays so. Evidence holds up no filing: a source that may not be asked any
    more (its agreement ended while the form was filled in) is not, and the applicant brings the document.
    """
    case, _ = require_own(session, actor, number)
    wanted = [require_source(session, catalogue, case, document) for document in dict.fromkeys(documents)]
    known = {each.document for each in store.list_states(session, number)}
    for source in offering.askable(session, wanted, case.item, now):
        if source.document not in known:
            consent(session, catalogue, desk, actor, number, source.document, now)


def _fetch(
    session: Session,
    desk: Desk,
    case: Case,
    evidence: Evidence,
    source: Source,
    keys: dict[str, str],
    actor: Actor,
    now: datetime,
) -> tuple[Case, Evidence, Content]:
    """From the applicant's certificates, from earlier evidence, or from its source, in this order."""
    if certificate := _certificate(session, desk, case, source, keys, now):
        origin_id, valid_until, fields = certificate
        taken = domain.taken_from(evidence, domain.CERTIFICATE, origin_id, valid_until, now)
        case = enter(session, case, CaseEvidenceUsed, actor, now, document=source.document)
        return case, taken, Content(keys, fields)
    for earlier, content in store.list_earlier(session, desk.seal, evidence, clock.day_of(now)):
        if dict(content.keys) == keys:
            taken = domain.taken_from(evidence, domain.EARLIER, earlier.id, earlier.valid_until, now)
            case = enter(
                session, case, CaseEvidenceAnswered, actor, now, document=source.document, outcome=domain.PROVIDED
            )
            return case, taken, replace(content, reason=None)
    calendar = desk.calendars.of(case.region)
    due_at = clock.end_of(clock.add_days(calendar, clock.day_of(now), source.answer_days))
    asked = domain.asked(evidence, now, due_at)
    tell_source(session, asked, case, EvidenceRequested, actor)
    schedule.at(session, due_at, LIMIT, asked.id, {})
    if desk.hand_over:
        desk.hand_over(session, asked, keys, now)
    case = enter(
        session,
        case,
        CaseEvidenceRequested,
        actor,
        now,
        document=source.document,
        paper=source.paper,
        giver=source.code,
    )
    return case, asked, Content(keys)


def _certificate(
    session: Session, desk: Desk, case: Case, source: Source, keys: Mapping[str, str], now: datetime
) -> tuple[str, Any, dict[str, Any]] | None:
    """One that the applicant holds and that is about who it is wanted about."""
    if not source.is_issued_here:
        return None
    for result, content in results.certificates_of(session, desk.result_seal, case.applicant, source.paper, now):
        stated = content.fields
        if all(str(stated[key]) == value for key, value in keys.items() if key in stated):
            return result.id, result.valid_until, dict(stated)
    return None


def _new(session: Session, case: Case, source: Source) -> Evidence:
    evidence = Evidence(
        id=str(uuid.uuid4()),
        number=case.number,
        document=source.document,
        paper=source.paper,
        source_kind=source.kind,
        source=source.code,
        applicant=case.applicant,
        item=case.item,
    )
    store.insert(session, evidence)
    return evidence
