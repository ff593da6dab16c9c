"""The case that evidence is of: whose it is, its history, and what the source of its evidence is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from chassis import outbox, schedule
from chassis.database import Session
from contracts.actors import SYSTEM, Actor
from contracts.errors import InvalidInput, NotFound
from contracts.events import CaseEvent, EvidenceEvent, EvidenceWithdrawn
from services.cases import domain as case_rules
from services.cases import store as cases
from services.cases.case_number import is_case_number
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case, Change
from services.cases.evidence import domain
from services.cases.evidence.domain import Evidence, Source
from services.cases.evidence.sources import sources_of
from services.cases.registries import commands as registries
from services.cases.views import time_view

LIMIT: Final = "evidence-limit"


def require_own(session: Session, actor: Actor, number: str) -> tuple[Case, dict[str, Any]]:
    """The actor's own case, locked, with its form."""
    case = cases.lock_case(session, number) if is_case_number(number) else None
    if case is None or case_rules.CITIZEN not in case_rules.parts_of(actor, case):
        raise NotFound("case", str(number)[:64])
    found = cases.load_case_with_form(session, number)
    return case, found[1] if found else {}


def require_source(session: Session, catalogue: Catalogue, case: Case, document: object) -> Source:
    item = VERSIONS.get(session, catalogue, case.item, case.item_version)
    sources = sources_of(item.description, catalogue)
    if not isinstance(document, str) or document not in sources:
        raise not_one_of("/document", sorted(sources))
    return sources[document]


def enter(session: Session, case: Case, event: type[CaseEvent], actor: Actor, now: datetime, **facts: Any) -> Case:
    """One more entry of the shared history. The case is locked. What is no text is in the history alone."""
    after = replace(case, sequence=case.sequence + 1, updated_at=now)
    told = case.event(event, **{name: fact for name, fact in facts.items() if isinstance(fact, str)})
    cases.save_change(session, Change(after, (told,), actor, facts))
    return after


def tell_source(session: Session, evidence: Evidence, case: Case, event: type[EvidenceEvent], actor: Actor) -> None:
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


def take_back(session: Session, case: Case, before: Evidence, after: Evidence, actor: Actor, now: datetime) -> Evidence:
    """Tell its source that no answer is wanted any more, if it was to answer."""
    if before.status not in domain.WAITING:
        return after
    schedule.cancel(session, LIMIT, before.id)
    registries.withdraw(session, before.id, now)
    told = replace(after, sequence=before.sequence + 1)
    tell_source(session, told, case, EvidenceWithdrawn, actor)
    return told


def as_platform(actor: Actor) -> Actor:
    """A source is nobody to the case: the history says that the platform has taken its answer in."""
    return replace(SYSTEM, channel=actor.channel)


def not_one_of(pointer: str, allowed: list[str]) -> InvalidInput:
    return InvalidInput([{"pointer": pointer, "rule": "enum", "value": allowed}])
