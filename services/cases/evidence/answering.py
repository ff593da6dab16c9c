"""Who may answer a request for evidence, and what an answer may say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput
from services.cases import domain as case_rules
from services.cases import forms
from services.cases import store as cases
from services.cases.catalogue.model import Catalogue
from services.cases.crossing.domain import is_within
from services.cases.evidence import domain
from services.cases.evidence.domain import Answer, Evidence
from services.cases.evidence.sources import schema_of
from services.cases.registries import agreeing
from services.cases.registries.agreements import SCOPE, Allowed
from services.cases.views import time_view


def source_of(actor: Actor) -> tuple[str, str] | None:
    """Which source the actor answers for, as (kind, code)."""
    if actor.act is not None:
        return None
    if case_rules.is_program(actor):
        if actor.department and not actor.organisation and (actor.has_scope("cases") or actor.has_scope(SCOPE)):
            return domain.DEPARTMENT, actor.department
        if actor.organisation and actor.has_scope(SCOPE):
            return domain.ORGANISATION, actor.organisation
        return None
    if actor.has_role(case_rules.OFFICER) and actor.department:
        return domain.DEPARTMENT, actor.department
    return None


def is_source(session: Session, actor: Actor, evidence: Evidence) -> bool:
    """Nobody answers about themselves, nor an officer of a region's hall for what is decided in another."""
    if source_of(actor) != (evidence.source_kind, evidence.source) or actor.subject == evidence.applicant:
        return False
    if actor.region is None:
        return True
    case = cases.load_case(session, evidence.number)
    return case is not None and is_within(case.region, actor.region)


def allowed_to(session: Session, evidence: Evidence, now: datetime) -> Allowed | None:
    """What its source may say of it now: a department everything, an organisation what its agreement says."""
    if evidence.source_kind == domain.DEPARTMENT:
        return Allowed()
    return agreeing.allowed_for(session, evidence.source, evidence.paper, evidence.item, now)


def read(said: Mapping[str, Any], evidence: Evidence, catalogue: Catalogue, today: date, allowed: Allowed) -> Answer:
    """`{"number", "result"}` with `fields` and `valid_until` if it is provided, `reason` if the citizen is needed.

    `number` is the case that the request was for: who mixes up two requests is told so. `asked_at`, if it is said, is
    when: what was withdrawn and asked for anew may be about other keys. Raise `InvalidInput`.
    """
    if said.get("number") != evidence.number:
        raise InvalidInput([Fault(pointer="/number", rule="evidence.other-case", value=True)])
    if said.get("asked_at") is not None and said["asked_at"] != asked_at_view(evidence):
        raise InvalidInput([Fault(pointer="/asked_at", rule="evidence.asked-anew", value=True)])
    result = said.get("result")
    if result not in domain.RESULTS:
        raise InvalidInput([Fault(pointer="/result", rule="enum", value=list(domain.RESULTS))])
    fields, valid_until, reason = said.get("fields"), said.get("valid_until"), said.get("reason")
    if result != domain.PROVIDED and (fields or valid_until):
        raise InvalidInput([Fault(pointer="/fields", rule="evidence.not-provided", value=True)])
    if result == domain.PROVIDED:
        return Answer(result, _fields(fields, evidence, catalogue, allowed), _valid_until(valid_until, today))
    text = forms.require_text(reason, "/reason", domain.MAX_REASON)
    if result == domain.NEEDS_CITIZEN and text is None:
        raise InvalidInput([Fault(pointer="/reason", rule="required", value=True)])
    return Answer(str(result), reason=text)


def asked_at_view(evidence: Evidence) -> str | None:
    """When its source was asked last, as the request says it."""
    return time_view(evidence.asked_at) if evidence.asked_at else None


def _fields(fields: object, evidence: Evidence, catalogue: Catalogue, allowed: Allowed) -> Mapping[str, Any]:
    """What is allowed of it: the rest was never handed over."""
    if not isinstance(fields, dict):
        raise InvalidInput([Fault(pointer="/fields", rule="type", value="object")])
    fields = allowed.narrow(fields)
    try:
        forms.require_valid(fields, forms.compile_schema(schema_of(evidence.paper, catalogue, allowed.fields)))
    except InvalidInput as error:
        faults = [
            Fault(pointer=f"/fields{fault['pointer'].removeprefix('/form')}", rule=fault["rule"], value=fault["value"])
            for fault in error.faults
        ]
        raise InvalidInput(faults) from None
    return fields


def _valid_until(value: object, today: date) -> date | None:
    """A day that is there (ISO 8601), from today on."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        day = None
    if day is None:
        raise InvalidInput([Fault(pointer="/valid_until", rule="format", value="date")])
    if day < today:
        raise InvalidInput([Fault(pointer="/valid_until", rule="future", value=True)])
    if (day - today).days > domain.MAX_VALID_DAYS:
        raise InvalidInput([Fault(pointer="/valid_until", rule="withinDays", value=domain.MAX_VALID_DAYS)])
    return day
