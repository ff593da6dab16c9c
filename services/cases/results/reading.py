"""Whose result one may read: of a case that one may see."""

from __future__ import annotations

from chassis.database import Session
from chassis.sealing import Seal
from contracts.actors import Actor
from contracts.errors import NotFound
from services.cases import domain as case_rules
from services.cases import store as cases
from services.cases.case_number import is_case_number
from services.cases.domain import Case
from services.cases.results import store
from services.cases.results.domain import Content, Result


def require_result(
    session: Session, seal: Seal, actor: Actor, number: str, *, for_update: bool = False
) -> tuple[Case, Result, Content]:
    """The case, and the result of its last decision. Raise `NotFound`: the same for a case that is somebody
    else's, for one without a decision, and for none."""
    load = cases.lock_case if for_update else cases.load_case
    case = load(session, number) if is_case_number(number) else None
    if case is None or not case_rules.parts_of(actor, case):
        raise NotFound("result", str(number)[:64])
    found = store.load_newest(session, seal, case.number)
    if found is None:
        raise NotFound("result", case.number)
    return case, *found
