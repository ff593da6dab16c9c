"""A case, and what one action makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from contracts.actors import Actor
from contracts.events import CaseEvent
from services.cases.work.states import SUBMITTED


@dataclass(frozen=True, slots=True)
class Case:
    """One citizen's request for one service item. `sequence` counts its history, and with it its events.

    `step` is where it is in the item's procedure. `handler` is the department that handles it now, if that is not the
    competent one; `assignee` the account of whoever has it in hand. `asked_at` is when everything missing was named:
    that happens once. `answer_by` is the last day on which the applicant may answer.

    `joint` is the number of the joint case that it is a part of.

    `papers` says where its papers are (`states.AT_HALL`, ...) if it was filed at the counter `filed_hall` of a region
    that does not decide it.

    The clock (`services.cases.work.clock`): it runs since `clock_from`, and has so many days left; `due_on` and
    `statutory_due_on` are the last days that follow from it. `due_stage` is how far it was told that it runs out.
    """

    number: str
    item: str
    item_version: int
    department: str
    region: str
    kind: str
    applicant: str
    channel: str
    submitted_at: datetime
    updated_at: datetime
    status: str = SUBMITTED
    status_before_correction: str | None = None
    decision: str | None = None
    sequence: int = 1
    step: str | None = None
    handler: str | None = None
    assignee: str | None = None
    asked_at: datetime | None = None
    answer_by: date | None = None
    delivered_by: str | None = None
    reopened_at: datetime | None = None
    clock_from: date | None = None
    promised_left: int | None = None
    statutory_left: int | None = None
    due_on: date | None = None
    statutory_due_on: date | None = None
    due_stage: int = 0
    is_beyond_statute: bool = False
    is_due_tentative: bool = False
    joint: str | None = None
    filed_hall: str | None = None
    papers: str | None = None

    @property
    def handled_by(self) -> str:
        """The department that handles it now."""
        return self.handler or self.department

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The departments that have it, each with the region: the competent one, and the one that handles it."""
        return tuple((department, self.region) for department in dict.fromkeys((self.department, self.handled_by)))

    def event(self, event_class: type[CaseEvent], **facts: Any) -> CaseEvent:
        return event_class(
            number=self.number,
            item=self.item,
            department=self.department,
            region=self.region,
            kind=self.kind,
            applicant=self.applicant,
            **facts,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What one action makes of a case: the case after it, its new events, and the actor in the role acted in.

    `details` go into the history with the first of them, for who may see the case; what events carry is less. `before`
    is the case as it was, if it was.
    """

    case: Case
    events: tuple[CaseEvent, ...]
    actor: Actor
    details: Mapping[str, Any] = field(default_factory=dict)
    before: Case | None = None

    @property
    def entries(self) -> list[tuple[int, CaseEvent]]:
        """Each event with its place in the case's history."""
        first = self.case.sequence - len(self.events) + 1
        return list(enumerate(self.events, first))

    def other_keys(self, event: CaseEvent) -> list[str]:
        """Routing keys of those who have the case, or had it until now, besides whom the event names.

        So a department that it was passed to hears of it from then on, up to what takes it away again.
        """
        places = dict.fromkeys((*(self.before.places if self.before else ()), *self.case.places))
        keys = (replace(event, department=department, region=region).routing_key for department, region in places)
        return [key for key in dict.fromkeys(keys) if key != event.routing_key]
