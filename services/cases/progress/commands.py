"""A new code for a case's progress, or none any more."""

from __future__ import annotations

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import NotFound, NotPermitted
from services.cases import domain
from services.cases import store as case_store
from services.cases.case_number import is_case_number
from services.cases.progress import store
from services.cases.progress.codes import ProgressKeys
from services.cases.progress.queries import is_applicants


def renew_code(session: Session, keys: ProgressKeys, actor: Actor, number: str) -> str:
    """The one before is good no more. Raise `NotFound`, or `NotPermitted` for who is not the applicant."""
    _require_applicant(session, actor, number, "renew_progress_code")
    return keys.code_of(number, store.renew(session, number).renewals)


def withdraw_code(session: Session, actor: Actor, number: str) -> None:
    """Nobody sees the progress without signing in until a new code is asked for. Raise as `renew_code` does."""
    _require_applicant(session, actor, number, "withdraw_progress_code")
    store.close(session, number)


def _require_applicant(session: Session, actor: Actor, number: str, action: str) -> None:
    case = case_store.lock_case(session, number) if is_case_number(number) else None
    if case is None:
        raise NotFound("case", number)
    domain.require_visible(actor, case)
    if not is_applicants(actor, case.applicant):
        raise NotPermitted(action)
