"""What happens to evidence. One function a use case, each in the transaction that holds the case."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from chassis import outbox, schedule
from chassis.database import Session
from chassis.schedule import Due
from chassis.sealing import Seal
from contracts.actors import SYSTEM, Actor
from contracts.errors import ActionNotAllowed, InvalidInput, NotFound
from contracts.events import (
    CaseEvent,
    CaseEvidenceAnswered,
    CaseEvidenceOverdue,
    CaseEvidenceRequested,
    CaseEvidenceUsed,
    EvidenceEvent,
    EvidenceOverdue,
    EvidenceRequested,
    EvidenceWithdrawn,
)
from services.cases import domain as case_rules
from services.cases import forms
from services.cases import store as cases
from services.cases.case_number import is_case_number
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case, Change
from services.cases.drafts.access import id_in
from services.cases.evidence import answering, domain, offering, store
from services.cases.evidence.domain import Answer, Content, Evidence, Source
from services.cases.evidence.sources import sources_of
from services.cases.registries import checking
from services.cases.registries import commands as registries
from services.cases.results import queries as results
from services.cases.views import time_view
from services.cases.work import clock
from services.cases.work.calendars import WEEKDAYS_EVERYWHERE, Calendars

LIMIT: Final = "evidence-limit"
_AGAIN: Final = timedelta(seconds=1)

WITHDRAWN: Final = "withdrawn"
ASKED_ANEW: Final = "asked-anew"
CASE_ENDED: Final = "case-ended"


@dataclass(frozen=True, slots=True)
class Desk:
    """What every command on evidence is given.

    `hand_over` is told of each new request in its transaction, besides the event that the source hears on the bus.
    """

    seal: Seal
    result_seal: Seal
    calendars: Calendars = WEEKDAYS_EVERYWHERE
    hand_over: Callable[[Session, Evidence, Mapping[str, str], datetime], None] | None = None


def consent(
    session: Session, catalogue: Catalogue, desk: Desk, actor: Actor, number: str, document: object, now: datetime
) -> dict[str, Any]:
    """The applicant lets one document be fetched: it is there already, or its source is asked.

    Once again after nothing was found; a consent that is given twice is given once.
    """
    case, form = _require_own(session, actor, number)
    if case.status not in case_rules.OPEN:
        raise ActionNotAllowed(domain.CONSENT, case.status)
    source = _require_source(session, catalogue, case, document)
    found = {each.document: each for each in store.list_states(session, number, for_update=True)}
    evidence = found.get(source.document) or _new(session, case, source)
    if evidence.status in domain.FETCHED:
        return {"id": evidence.id, "status": evidence.status}
    if answering.allowed_to(session, evidence, now) is None:
        # whoever has it may not be asked: it is the applicant's to bring
        raise ActionNotAllowed(domain.CONSENT, "no-agreement")
    evidence = domain.consented(evidence, now)
    store.end_consent(session, evidence.id, ASKED_ANEW, now)
    keys = {key: str(form[field]) for key, field in source.keys.items() if field in form}
    case, evidence, content = _fetch(session, desk, case, evidence, source, keys, actor, now)
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
    case, _ = _require_own(session, actor, number)
    wanted = [_require_source(session, catalogue, case, document) for document in dict.fromkeys(documents)]
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
        case = _enter(session, case, CaseEvidenceUsed, actor, now, document=source.document)
        return case, taken, Content(keys, fields)
    for earlier, content in store.list_earlier(session, desk.seal, evidence, clock.day_of(now)):
        if dict(content.keys) == keys:
            taken = domain.taken_from(evidence, domain.EARLIER, earlier.id, earlier.valid_until, now)
            case = _enter(
                session, case, CaseEvidenceAnswered, actor, now, document=source.document, outcome=domain.PROVIDED
            )
            return case, taken, replace(content, reason=None)
    calendar = desk.calendars.of(case.region)
    due_at = clock.end_of(clock.add_days(calendar, clock.day_of(now), source.answer_days))
    asked = domain.asked(evidence, now, due_at)
    _tell_source(session, asked, case, EvidenceRequested, actor)
    schedule.at(session, due_at, LIMIT, asked.id, {})
    if desk.hand_over:
        desk.hand_over(session, asked, keys, now)
    case = _enter(
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


def decide(
    session: Session,
    catalogue: Catalogue,
    desk: Desk,
    actor: Actor,
    number: str,
    document: object,
    act: object,
    now: datetime,
    reason: object = None,
) -> dict[str, Any]:
    """The applicant has seen what came: `use` it or `decline` it, or `withdraw` the consent.

    `reason` is what they say of what differs from the form.
    """
    said = forms.require_text(reason, "/reason", checking.MAX_REASON)
    if act not in (domain.USE, domain.DECLINE, domain.WITHDRAW):
        raise _not_one_of("/action", [domain.USE, domain.DECLINE, domain.WITHDRAW])
    case, form = _require_own(session, actor, number)
    found = store.list_of_case(session, desk.seal, number, for_update=True)
    evidence, content = next(((each, says) for each, says in found if each.document == document), (None, None))
    if evidence is None or content is None:
        raise NotFound("evidence", str(document)[:64])
    if act == domain.WITHDRAW:
        evidence = _withdraw(session, desk, case, evidence, actor, now)
    else:
        evidence = domain.decided(evidence, str(act), clock.day_of(now))
        if act == domain.USE:
            _enter(session, case, CaseEvidenceUsed, actor, now, document=evidence.document)
            item = VERSIONS.get(session, catalogue, case.item, case.item_version).description
            keep_check(session, desk, catalogue, item, form, evidence, content, said, now)
        else:
            store.save_content(session, desk.seal, evidence.id, None)
    store.save(session, evidence)
    return {"id": evidence.id, "status": evidence.status}


def _withdraw(session: Session, desk: Desk, case: Case, evidence: Evidence, actor: Actor, now: datetime) -> Evidence:
    withdrawn = domain.withdrawn(evidence)
    store.end_consent(session, evidence.id, WITHDRAWN, now)
    store.save_content(session, desk.seal, evidence.id, None)
    return _take_back(session, case, evidence, withdrawn, actor, now)


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
    if found is None or not answering.is_source(actor, found[0]):
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
    _enter(
        session, case, CaseEvidenceAnswered, _as_platform(actor), now, document=evidence.document, outcome=given.result
    )
    return answered


def keep_check(
    session: Session,
    desk: Desk,
    catalogue: Catalogue,
    item: Mapping[str, Any],
    form: Mapping[str, Any],
    evidence: Evidence,
    content: Content,
    reason: str | None,
    now: datetime,
) -> None:
    """Keep how the form compares with what is used, with what the applicant says of it."""
    compared = checking.compared_with(item, evidence.document, evidence.paper, form, content.fields, catalogue)
    checking.note(session, desk.seal, evidence.id, compared, reason, now)


def check_corrected(
    session: Session, desk: Desk, catalogue: Catalogue, item: Mapping[str, Any], case: Case, form: Any, now: datetime
) -> None:
    """The form has changed under what is used: how it compares now is kept, too."""
    for evidence, content in store.list_of_case(session, desk.seal, case.number):
        if evidence.status == domain.USED:
            keep_check(session, desk, catalogue, item, form, evidence, content, None, now)


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
    _tell_source(session, evidence, case, EvidenceOverdue, SYSTEM)
    _enter(session, case, CaseEvidenceOverdue, SYSTEM, now, document=evidence.document, giver=evidence.source)


def follow(session: Session, desk: Desk, case: Case, now: datetime) -> None:
    """A case has ended: nobody is asked for it any more, and what was not used is deleted. The case is locked."""
    if case.status not in case_rules.ENDED:
        return
    for evidence in store.list_states(session, case.number, for_update=True):
        store.end_consent(session, evidence.id, CASE_ENDED, now)
        if evidence.may(domain.END):
            store.save_content(session, desk.seal, evidence.id, None)
            store.save(session, _take_back(session, case, evidence, domain.ended(evidence), SYSTEM, now))


def require_not_fetched(session: Session, number: str, documents: set[str | None]) -> None:
    """Nobody demands from the applicant what is being fetched. Raise `InvalidInput` for each such document."""
    fetched = [
        each.document
        for each in store.list_states(session, number)
        if each.document in documents and each.status in domain.FETCHED
    ]
    if fetched:
        raise InvalidInput([{"pointer": "/missing", "rule": "evidence.fetched", "value": each} for each in fetched])


def _take_back(
    session: Session, case: Case, before: Evidence, after: Evidence, actor: Actor, now: datetime
) -> Evidence:
    """Tell its source that no answer is wanted any more, if it was to answer."""
    if before.status not in domain.WAITING:
        return after
    schedule.cancel(session, LIMIT, before.id)
    registries.withdraw(session, before.id, now)
    told = replace(after, sequence=before.sequence + 1)
    _tell_source(session, told, case, EvidenceWithdrawn, actor)
    return told


def _tell_source(session: Session, evidence: Evidence, case: Case, event: type[EvidenceEvent], actor: Actor) -> None:
    told = event(
        evidence=evidence.id,
        number=case.number,
        paper=evidence.paper,
        department=evidence.source,
        region=case.region,
        kind=case.kind,
        item=case.item,
        until=time_view(evidence.due_at) if evidence.due_at else "-",
    )
    outbox.add(session, told, sequence=evidence.sequence, actor=actor)


def _enter(session: Session, case: Case, event: type[CaseEvent], actor: Actor, now: datetime, **facts: str) -> Case:
    """One more entry of the shared history. The case is locked."""
    after = replace(case, sequence=case.sequence + 1, updated_at=now)
    cases.save_change(session, Change(after, (case.event(event, **facts),), actor, facts))
    return after


def _as_platform(actor: Actor) -> Actor:
    """A source is nobody to the case: the history says that the platform has taken its answer in."""
    return replace(SYSTEM, channel=actor.channel)


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


def _require_own(session: Session, actor: Actor, number: str) -> tuple[Case, dict[str, Any]]:
    """The actor's own case, locked, with its form."""
    case = cases.lock_case(session, number) if is_case_number(number) else None
    if case is None or case_rules.CITIZEN not in case_rules.parts_of(actor, case):
        raise NotFound("case", str(number)[:64])
    found = cases.load_case_with_form(session, number)
    return case, found[1] if found else {}


def _require_source(session: Session, catalogue: Catalogue, case: Case, document: object) -> Source:
    item = VERSIONS.get(session, catalogue, case.item, case.item_version)
    sources = sources_of(item.description, catalogue)
    if not isinstance(document, str) or document not in sources:
        raise _not_one_of("/document", sorted(sources))
    return sources[document]


def _not_one_of(pointer: str, allowed: list[str]) -> InvalidInput:
    return InvalidInput([{"pointer": pointer, "rule": "enum", "value": allowed}])
