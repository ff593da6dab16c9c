"""What makes and ends results. It happens in the transaction of the act on the case, which holds the case."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chassis import limits, outbox, typed_codes
from chassis.database import Session
from chassis.sealing import Seal
from contracts import access
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, Fault, InvalidInput, NotPermitted
from contracts.events import CaseDelivered, CaseResultRevoked, ResultIssued
from services.cases import domain as case_rules
from services.cases import forms, looks
from services.cases import store as cases
from services.cases.case_number import filing_day
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import LANGUAGES, Catalogue, ServiceItem
from services.cases.domain import Case, Change
from services.cases.results import domain, store
from services.cases.results.domain import Content, Result
from services.cases.results.limits import ResultKeys, too_many
from services.cases.results.reading import require_result
from services.cases.results.views import printed_view

CODE_LENGTH = 16
"""79 bits, for it is good for as long as the paper that it is printed on."""

MOST_REPLACED = 20


def follow(
    session: Session, seal: Seal, item: ServiceItem, change: Change, action: str, note: str | None, now: datetime
) -> None:
    """Issue what a decision gives, and take back what a review has reopened. Any other action changes nothing here."""
    if action == "reopen":
        store.revoke(session, change.case.number, domain.REOPENED, now)
    elif change.case.decision and action in ("approve", "refuse"):
        _issue(session, seal, item, change, note, now)


def _issue(session: Session, seal: Seal, item: ServiceItem, change: Change, note: str | None, now: datetime) -> None:
    case, decision = change.case, change.case.decision or ""
    declared: dict[str, Any] = item.description.get("result", {})
    is_granted = decision == "approved"
    issued_on = filing_day(now)
    store.supersede(session, case.number, now)
    found = cases.load_case_with_form(session, case.number)
    answers = found[1] if found else {}
    result = Result(
        id=str(uuid.uuid4()),
        number=case.number,
        serial=store.next_serial(session, case.number),
        paper=declared.get("code", domain.DECISION) if is_granted else domain.REFUSAL,
        form=domain.form_of(declared, decision),
        decision=decision,
        holder=case.applicant,
        item=case.item,
        item_version=case.item_version,
        # one that it was delegated to decides in the competent one's name (Administrative Licensing Law, article 24)
        department=case.department,
        issued_at=now,
        issued_on=issued_on,
        valid_until=domain.last_day(issued_on, declared.get("valid_months")) if is_granted else None,
    )
    stated = domain.stated(declared, answers)
    if result.form == domain.CERTIFICATE:
        _replace_earlier(session, seal, result, stated, declared.get("replaces_by", ()))
    store.insert(session, seal, result, Content(typed_codes.new(CODE_LENGTH), stated, note))
    event = ResultIssued(
        result=result.id,
        number=case.number,
        item=case.item,
        department=case.department,
        region=case.region,
        kind=case.kind,
        applicant=case.applicant,
        paper=result.paper,
        form=result.form,
        valid_until=result.valid_until.isoformat() if result.valid_until else "-",
    )
    outbox.add(session, event, sequence=1, actor=change.actor)


def _replace_earlier(
    session: Session, seal: Seal, result: Result, stated: Mapping[str, Any], by: Sequence[str]
) -> None:
    """Of the same holder and kind, about the same: there is one that is good."""
    if not by:
        return
    store.take_turns(session, result.holder, result.paper)
    # also one that was issued a moment after this one, which has waited
    until = result.issued_at + timedelta(days=1)
    held = store.list_held(session, seal, result.holder, result.paper, until, result.issued_on, MOST_REPLACED)
    for older in sorted(each.id for each, content in held if domain.is_renewed(content.fields, stated, by)):
        store.supersede_renewed(session, older, result.issued_at)


def download_result(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    keys: ResultKeys,
    actor: Actor,
    number: str,
    language: str,
    purpose: str | None,
    now: datetime,
) -> dict[str, Any]:
    """All that its document says, for who makes it: then it is told by `note_download`.

    Raise `NotFound`, `ActionNotAllowed` for one that is good no more, `TooManyAttempts`.
    """
    if language not in LANGUAGES:
        raise InvalidInput([Fault(pointer="/language", rule="enum", value=list(LANGUAGES))])
    case, result, content = require_result(session, seal, actor, number)
    _require_good(result, now)
    refused = limits.take(session, [keys.of_download(result.id, actor.hand)], now)
    if refused:
        raise too_many(refused)
    looks.note(session, actor, case, access.RESULT, purpose, now)
    return printed_view(result, content, VERSIONS.get(session, catalogue, case.item, case.item_version))


def note_download(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    number: str,
    language: str,
    sha256: str,
    made_of: str,
    now: datetime,
) -> None:
    """Its document was made and is given out now: who takes it, and its digest. To its holder it is delivered so.

    `made_of` is the id of the result that it says: while it was made, another decision may have issued another one.
    Raise `NotFound`, `ActionNotAllowed` for one that is good no more, `InvalidInput`.
    """
    if language not in LANGUAGES:
        raise InvalidInput([Fault(pointer="/language", rule="enum", value=list(LANGUAGES))])
    if not _SHA256.fullmatch(sha256):
        raise InvalidInput([Fault(pointer="/sha256", rule="pattern", value=_SHA256.pattern)])
    case, result, _ = require_result(session, seal, actor, number, for_update=True)
    if result.id != made_of:
        raise ActionNotAllowed("download_result", domain.SUPERSEDED)
    _require_good(result, now)
    store.keep_document(session, result.id, language, sha256, now)
    store.add_download(
        session,
        {
            "result": result.id,
            "at": now,
            "channel": actor.channel,
            "actor": case_rules.parts_of(actor, case)[0] if actor.act is None else actor.role,
            "actor_subject": actor.hand,
            "language": language,
            "hall": actor.counter,
        },
    )
    if actor.subject == case.applicant:
        item = VERSIONS.get(session, catalogue, case.item, case.item_version)
        _deliver_by_download(session, actor, case, item, result, now)


def _require_good(result: Result, now: datetime) -> None:
    status = result.status_on(filing_day(now))
    if status in (domain.REVOKED, domain.SUPERSEDED):
        raise ActionNotAllowed("download_result", status)


def _deliver_by_download(
    session: Session, actor: Actor, case: Case, item: ServiceItem, result: Result, now: datetime
) -> None:
    """Whoever has taken it has it. What comes on paper is not delivered by a document about it."""
    way = "counter" if actor.channel == "hall" else "download"
    is_by_document = result.form == domain.CERTIFICATE or result.decision == "refused"
    if case.delivered_by is not None or case.status != case_rules.CLOSED or not is_by_document:
        return
    if result.decision == "approved" and way not in item.procedure.delivery:
        return
    taken = replace(case, sequence=case.sequence + 1, updated_at=now, delivered_by=way)
    event = case.event(CaseDelivered, way=way)
    cases.save_change(session, Change(taken, (event,), replace(actor, roles=()), {"way": way}))


_SHA256 = re.compile("[0-9a-f]{64}")


def revoke_result(
    session: Session, seal: Seal, actor: Actor, number: str, reason: object, note: object, now: datetime
) -> None:
    """By an officer of the department that decided, with a reason and in words: its holder is told.

    Raise `NotFound`, `NotPermitted`, `ActionNotAllowed` for one that is good no more, `InvalidInput`.
    """
    case, result, _ = require_result(session, seal, actor, number, for_update=True)
    if case_rules.OFFICER not in case_rules.parts_of(actor, case) or actor.department != case.department:
        raise NotPermitted("revoke_result")
    said = forms.require_text(note, "/note", forms.MAX_NOTE)
    faults = [] if said else [Fault(pointer="/note", rule="required", value=True)]
    if reason not in domain.REVOCATION_REASONS:
        faults.append(Fault(pointer="/reason", rule="enum", value=list(domain.REVOCATION_REASONS)))
    if faults:
        raise InvalidInput(faults)
    if result.status != domain.VALID:
        raise ActionNotAllowed("revoke_result", result.status)
    store.revoke(session, case.number, str(reason), now)
    revoked = replace(case, sequence=case.sequence + 1, updated_at=now)
    event = case.event(CaseResultRevoked, paper=result.paper, reason=reason)
    role = replace(actor, roles=(case_rules.OFFICER,))
    cases.save_change(session, Change(revoked, (event,), role, {"reason": reason}), said)
