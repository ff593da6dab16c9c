"""Whether an action may be done: by this person, to this version, in this status and step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from contracts.actors import Actor
from contracts.errors import (
    ActionNotAllowed,
    CaseChanged,
    CorrectionAlreadyRequested,
    Fault,
    InvalidInput,
    NotPermitted,
    ServiceError,
    VersionNeeded,
)
from services.cases.work import states
from services.cases.work.case import Case
from services.cases.work.people import is_local, parts_of, refusal_to_stranger
from services.cases.work.procedure import Procedure
from services.cases.work.states import ACTIONS, CITIZEN, CLERK, EITHER, OFFICER, TRANSITIONS, Action

ANY_VERSION: Final = "*"

Versions = Sequence[int] | str | None
"""Which versions of the case the actor has read (its `sequence`), or `*` for any; `None` if they do not say."""


def is_allowed(actor: Actor, case: Case, name: str, procedure: Procedure) -> bool:
    parts = parts_for(actor, case, ACTIONS[name])
    return bool(parts) and refusal_by_state(actor, case, name, parts, procedure) is None


def require_person(actor: Actor, case: Case, name: str) -> list[str]:
    """As what the actor may do it. Raise `NotFound`, `NotPermitted`, or `InvalidInput` for no action at all."""
    if not parts_of(actor, case):
        raise refusal_to_stranger(actor, case, name)
    if name not in ACTIONS:
        raise InvalidInput([Fault(pointer="/action", rule="enum", value=list(ACTIONS))])
    parts = parts_for(actor, case, ACTIONS[name])
    if not parts:
        raise NotPermitted(name)
    return parts


def parts_for(actor: Actor, case: Case, action: Action) -> list[str]:
    """Those of the actor's parts in the case that may do the action."""
    return [part for part in parts_of(actor, case) if part in action.by and _is_in_place(actor, case, part, action)]


def require_version(case: Case, name: str, versions: Versions) -> None:
    """Raise `VersionNeeded` or `CaseChanged`."""
    if versions is None:
        if ACTIONS[name].needs_version:
            raise VersionNeeded(name)
    elif versions != ANY_VERSION and case.sequence not in versions:
        raise CaseChanged(case.number, case.sequence)


def refusal_by_state(
    actor: Actor, case: Case, name: str, parts: list[str], procedure: Procedure
) -> ServiceError | None:
    """Why the status, the step or whoever has the case in hand forbids it; `None` if nothing does."""
    action, step = ACTIONS[name], procedure.step(case.step, case.status)
    if (case.status, name) not in TRANSITIONS or not _CONDITIONS.get(name, _always)(case, actor, procedure):
        return ActionNotAllowed(name, case.status)
    if parts == [CLERK] and not _is_at_its_counter(case, actor, name):
        return NotPermitted(name)
    if action.of_step and not any(procedure.allows(step, case.status, name, part) for part in parts):
        return ActionNotAllowed(name, case.status)
    if name == "request_correction" and case.asked_at is not None:
        return CorrectionAlreadyRequested(case.number)
    if action.is_work and CITIZEN not in parts and case.assignee not in (None, actor.hand):
        return NotPermitted(name)
    return None


def _is_at_its_counter(case: Case, actor: Actor, name: str) -> bool:
    """A hall of another region takes in what is filed there, and hands papers and results over; nothing more.

    The region that decides looks at it and takes it up.
    """
    is_filed_here = case.papers is not None and _is_filing_hall(case, actor)
    if not is_filed_here:
        return is_local(actor, case)
    return not (ACTIONS[name].of_step or (name == "claim" and not is_local(actor, case)))


def _is_in_place(actor: Actor, case: Case, part: str, action: Action) -> bool:
    """Officers act where the case is handled; clerks serve every department."""
    return part != OFFICER or action.at == EITHER or actor.department == case.handled_by


def _always(case: Case, actor: Actor, procedure: Procedure) -> bool:
    return True


def _can_claim(case: Case, actor: Actor, procedure: Procedure) -> bool:
    is_in_own_step = procedure.step(case.step, case.status).role != OFFICER or actor.has_role(OFFICER)
    return case.assignee is None and is_in_own_step


def _can_release(case: Case, actor: Actor, procedure: Procedure) -> bool:
    is_own = case.assignee == actor.hand
    return is_own or (case.assignee is not None and actor.has_role(OFFICER))


def _is_passed_on(case: Case, actor: Actor, procedure: Procedure) -> bool:
    own = procedure.department_of(procedure.step(case.step, case.status))
    return case.handled_by != own


def _can_delegate(case: Case, actor: Actor, procedure: Procedure) -> bool:
    return bool(takers(case, procedure))


def takers(case: Case, procedure: Procedure) -> list[str]:
    """The departments that the case may be delegated to now."""
    delegates = procedure.step(case.step, case.status).delegates
    return [each for each in delegates if each != case.handled_by]


def _can_pass_on(case: Case, actor: Actor, procedure: Procedure) -> bool:
    """The hall where it was filed sends the papers; of what is decided, the department sends the result there."""
    if case.status == states.CLOSED:
        return actor.has_role(OFFICER) and case.delivered_by is None and case.papers in _WITH_THE_DEPARTMENT
    return _is_filing_hall(case, actor) and case.papers in (states.AT_HALL, states.RETURNED)


def _can_receive(case: Case, actor: Actor, procedure: Procedure) -> bool:
    if case.papers == states.RESULT_UNDER_WAY:
        return _is_filing_hall(case, actor)
    return case.papers == states.UNDER_WAY and actor.has_role(OFFICER)


def _can_return(case: Case, actor: Actor, procedure: Procedure) -> bool:
    return case.papers in (states.UNDER_WAY, states.RECEIVED)


def _is_filing_hall(case: Case, actor: Actor) -> bool:
    return actor.has_role(CLERK) and actor.hall is not None and actor.hall == case.filed_hall


_WITH_THE_DEPARTMENT: Final = (states.AT_HALL, states.UNDER_WAY, states.RECEIVED, states.RETURNED)


def _can_deliver(case: Case, actor: Actor, procedure: Procedure) -> bool:
    return case.decision is not None and case.delivered_by is None


_CONDITIONS: Final[Mapping[str, Callable[[Case, Actor, Procedure], bool]]] = {
    "claim": _can_claim,
    "release": _can_release,
    "delegate": _can_delegate,
    "hand_back": _is_passed_on,
    "deliver": _can_deliver,
    "pass_on": _can_pass_on,
    "receive_papers": _can_receive,
    "return_papers": _can_return,
}
