"""What an action is asked with, and all that its outcome depends on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from contracts.actors import Actor
from services.cases.work.case import Case
from services.cases.work.clock import Calendar, Rules
from services.cases.work.procedure import Procedure, Step
from services.cases.work.states import ACTIONS, Action


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that the applicant is to bring: a document of the item, a field of the form, or something else."""

    text: str | None = None
    document: str | None = None
    field: str | None = None

    def to_dict(self) -> dict[str, str]:
        named = {"document": self.document, "field": self.field, "text": self.text}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of the item that goes from hand to hand: as `original`, `copy` or `electronic`, so many."""

    document: str
    form: str
    copies: int = 1

    def to_dict(self) -> dict[str, str | int]:
        return {"document": self.document, "form": self.form, "copies": self.copies}


@dataclass(frozen=True, slots=True)
class Details:
    """What an action takes besides a note. `to` is a department, a step or a colleague's account, as the action is.

    `tracking` is the carrier's number of what went by post.
    """

    missing: tuple[Missing, ...] = ()
    until: date | None = None
    reason: str | None = None
    to: str | None = None
    way: str | None = None
    region: str | None = None
    papers: tuple[Paper, ...] = ()
    tracking: str | None = None


NO_DETAILS: Final = Details()


@dataclass(frozen=True, slots=True)
class Situation:
    """All that an effect depends on."""

    case: Case
    actor: Actor
    name: str
    at: datetime
    note: str | None
    details: Details
    procedure: Procedure
    calendar: Calendar
    rules: Rules

    @property
    def action(self) -> Action:
        return ACTIONS[self.name]

    @property
    def step(self) -> Step:
        return self.procedure.step(self.case.step, self.case.status)
