"""Whom an actor is to a case."""

from __future__ import annotations

from dataclasses import replace

from contracts.actors import Actor
from contracts.errors import NotFound, NotPermitted, StepUpRequired
from services.cases.crossing.domain import is_within
from services.cases.work.case import Case
from services.cases.work.states import CITIZEN, CLERK, OFFICER, PROGRAM


def is_program(actor: Actor) -> bool:
    """An organisation's program signs in as itself (RFC 6749, section 4.4); it is nobody's applicant."""
    return actor.subject == actor.client


def applicant_of(actor: Actor) -> Actor:
    """The actor as an applicant, a citizen whatever else they are. `NotPermitted` for who cannot be one."""
    if not actor.subject or is_program(actor):
        raise NotPermitted("submit_case")
    return replace(actor, roles=())


def require_assurance(actor: Actor, level: int) -> None:
    """Raise `StepUpRequired` if it is not sure enough who the applicant is."""
    # whoever is signed in is at the first level, also by a token of before there were levels
    if max(actor.acr, 1) < level:
        raise StepUpRequired(level)


def require_mandate_for(actor: Actor, item: str) -> None:
    """An agent files what the mandate is about; one for a case files nothing new."""
    if actor.mandate is not None and not actor.mandate.covers(item):
        raise NotPermitted("submit_case")


def parts_of(actor: Actor, case: Case) -> tuple[str, ...]:
    """Whom the actor is to this case, in the order of their roles. Nobody: empty, and the case is not there for them.

    An applicant is only that: nobody decides on a case of their own. A case that was passed to another department is
    both departments' to see; an officer of a region's hall sees those that are decided in that region.
    """
    if actor.mandate is not None and not actor.mandate.covers(case.item, case.number):
        return ()
    if actor.subject == case.applicant:
        return (CITIZEN,)
    in_department = is_of_department(actor, case)
    if is_program(actor):
        return (PROGRAM,) if in_department and actor.has_scope("cases") else ()
    return tuple(role for role in actor.roles if role == CLERK or (role == OFFICER and in_department))


def is_of_department(actor: Actor, case: Case) -> bool:
    """Whether the actor's department has the case, and has it where the actor works, if that is known."""
    in_department = actor.department in (case.department, case.handled_by)
    return in_department and (actor.region is None or is_within(case.region, actor.region))


def is_local(actor: Actor, case: Case) -> bool:
    """Whether the clerk's hall is one of the region that decides the case; of an unknown hall nothing else is said."""
    return actor.region is None or is_within(actor.region, case.region)


def require_visible(actor: Actor, case: Case) -> None:
    if not parts_of(actor, case):
        raise NotFound("case", case.number)


def refusal_to_stranger(actor: Actor, case: Case, action: str) -> Exception:
    """An officer hears that the case is another department's; for anybody else it is not there."""
    return NotPermitted(action) if actor.has_role(OFFICER) and actor.mandate is None else NotFound("case", case.number)
