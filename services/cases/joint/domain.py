"""A joint case is what its parts are: its progress is derived from them, never kept. No clock, no database.

A part is a case, or waits to become one. It begins when every part that it needs is approved. If one of these ends
otherwise it does not begin, for that reason; if a review takes that end back, it waits again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.actors import Actor
from services.cases.work.case import Case
from services.cases.work.people import is_of_department, is_program
from services.cases.work.states import CITIZEN, CLERK, ENDED, OFFICER, OPEN, PROGRAM, WITHDRAWN

WAITING: Final = "waiting"
NOT_BEGUN: Final = "not_begun"
APPROVED: Final = "approved"

CORRECTED: Final = "part.corrected"
TAKEN_BACK: Final = "part.withdrawn"
"""What is done to a part that waits. No events of the bus: departments hear of cases."""


@dataclass(frozen=True, slots=True)
class JointCase:
    """One filing of several items. `number` is of the same run as those of cases."""

    number: str
    item: str
    item_version: int
    applicant: str
    channel: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """`case` is there once it has begun. Before, it waits for `needs`, unless it was withdrawn."""

    item: str
    item_version: int
    needs: tuple[str, ...]
    withdrawn_at: datetime | None
    case: Case | None

    @property
    def is_approved(self) -> bool:
        return self.case is not None and self.case.decision == APPROVED

    @property
    def is_held(self) -> bool:
        return self.case is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class Progress:
    """`state` is the case's decision or status, `waiting`, `not_begun` or `withdrawn`; `because` are parts: those that
    it waits for, or whose end lets it not begin."""

    part: Part
    state: str
    because: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state == WAITING or (self.part.case is not None and self.part.case.status in OPEN)


def ready(parts: Sequence[Part]) -> list[Part]:
    """Those that begin now."""
    approved = {part.item for part in parts if part.is_approved}
    return [part for part in parts if part.is_held and approved.issuperset(part.needs)]


def progress(parts: Sequence[Part]) -> list[Progress]:
    """Of each part, in their order."""
    known = {part.item: part for part in parts}
    found: dict[str, Progress] = {}

    def of(part: Part) -> Progress:
        if part.item not in found:
            found[part.item] = _progress_of(part, [of(known[need]) for need in part.needs])
        return found[part.item]

    return [of(part) for part in parts]


def _progress_of(part: Part, needs: list[Progress]) -> Progress:
    if part.case is not None:
        return Progress(part, part.case.decision or part.case.status)
    if part.withdrawn_at is not None:
        return Progress(part, WITHDRAWN)
    ended = tuple(each.part.item for each in needs if not each.is_open and not each.part.is_approved)
    if ended:
        return Progress(part, NOT_BEGUN, ended)
    return Progress(part, WAITING, tuple(each.part.item for each in needs if not each.part.is_approved))


def can_withdraw(part: Part) -> bool:
    return part.is_held or (part.case is not None and part.case.status not in ENDED)


def roles_of(actor: Actor, joint: JointCase, parts: Sequence[Part]) -> tuple[str, ...]:
    """Whom the actor is to the whole: its applicant, a clerk, or an officer or program of a department with a part."""
    if actor.mandate is not None and not actor.mandate.covers(joint.item, joint.number):
        return ()
    if actor.subject == joint.applicant:
        return (CITIZEN,)
    begun = [part.case for part in parts if part.case is not None]
    in_department = any(is_of_department(actor, case) for case in begun)
    if is_program(actor):
        return (PROGRAM,) if in_department and actor.has_scope("cases") else ()
    return tuple(role for role in actor.roles if role == CLERK or (role == OFFICER and in_department))
