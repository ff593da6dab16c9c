"""Looking a case's progress up, and the code for who may have it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from chassis import limits
from chassis.database import Session
from contracts.actors import CHANNELS, Actor
from contracts.errors import NotFound, ServiceError, TooManyAttempts
from services.cases import store as case_store
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.progress import store
from services.cases.progress.codes import PROGRESS_ADDRESS, Access, ProgressKeys
from services.cases.progress.views import progress_view
from services.cases.work.case import Case

_LONGEST: Final = 40


def look_up(
    session: Session, catalogue: Catalogue, keys: ProgressKeys, number: object, code: object, now: datetime
) -> dict[str, Any] | ServiceError:
    """The progress, or the refusal: to be raised once this has been committed, for the guess counts.

    No such number, a wrong code, and a code that the applicant has withdrawn are one refusal, after the same work.
    """
    asked, typed = str(number)[:_LONGEST], str(code)[:_LONGEST]
    buckets = keys.buckets(asked)
    refused = limits.take(session, buckets, now)
    if PROGRESS_ADDRESS in refused:
        return _too_many(refused)
    found = store.find(session, asked.replace("\0", ""))
    case, access = found or (None, Access())
    is_right = keys.is_right(asked, access.renewals, typed)
    if case is not None and access.is_open and is_right:
        limits.put_back(session, [bucket for bucket in buckets if bucket.rule not in refused])
        return _progress(session, catalogue, case)
    return _too_many(refused) if refused else NotFound("progress")


def _progress(session: Session, catalogue: Catalogue, case: Case) -> dict[str, Any]:
    item = VERSIONS.get(session, catalogue, case.item, case.item_version)
    return progress_view(case, item, case_store.load_history(session, case.number))


def _too_many(refused: frozenset[limits.Rule]) -> TooManyAttempts:
    for rule in refused:
        limits.reached.labels(rule.name).inc()
    return TooManyAttempts(max(rule.seconds for rule in refused))


def code_for(session: Session, keys: ProgressKeys, actor: Actor, case: dict[str, Any]) -> str | None:
    """The code of a case, for its applicant and for the clerk who prints it for them; nobody else is told."""
    if not is_applicants(actor, case["applicant"]):
        return None
    access = store.load_access(session, case["number"])
    return keys.code_of(case["number"], access.renewals) if access.is_open else None


def is_applicants(actor: Actor, applicant: str) -> bool:
    """Whoever acts for the person by a mandate has a way of their own, which ends with it; so have others' programs."""
    at_counter = actor.act is None or actor.channel == "hall"
    return actor.subject == applicant and at_counter and actor.mandate is None and actor.client in CHANNELS
