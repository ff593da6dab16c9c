"""The workflow that a service item declares, read from its description: steps, who does them, and what they allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from services.cases.work import states
from services.cases.work.states import ACCEPTED, CLERK, OFFICER, PROVISIONALLY_ACCEPTED, SUBMITTED

WORKING: Final = "working"
CALENDAR: Final = "calendar"

_APPLICANT: Final = "applicant"
_PLATFORM: Final = "platform"

_BY_CLERKS_ANYWHERE: Final = ("request_correction", "deliver")
"""What a clerk may do to a case in an officer's step: say at the counter what is missing, hand out the result."""


@dataclass(frozen=True, slots=True)
class Step:
    """`actions` only if the item names them; `delegates` are departments that the step may be delegated to."""

    code: str
    role: str
    department: str | None = None
    days: int | None = None
    next: tuple[str, ...] = ()
    actions: frozenset[str] | None = None
    delegates: tuple[str, ...] = ()

    @property
    def is_staffs(self) -> bool:
        return self.role in states.STAFF


@dataclass(frozen=True, slots=True)
class Procedure:
    """The first step is the start. Limits are in `unit`; `None` where the item says none."""

    department: str
    steps: Mapping[str, Step]
    unit: str = WORKING
    promised_days: int | None = None
    statutory_days: int | None = None
    provisional_days: int | None = None
    documents: frozenset[str] = frozenset()
    may_follow: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    delivery: tuple[str, ...] = states.DELIVERY_WAYS

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Procedure:
        """Of an item's whole description, in the version that a case was filed under."""
        documents = item.get("documents", ())
        provisional = item.get("provisional_acceptance", {})
        result = item.get("result", {})
        is_open = bool(provisional.get("open"))
        return cls(
            department=item["department"],
            steps={step["code"]: _step(step) for step in item.get("steps", ())} or dict(STANDARD_STEPS),
            unit=item.get("day_unit", WORKING),
            promised_days=item.get("promised_days"),
            statutory_days=item.get("statutory_days"),
            provisional_days=provisional.get("days") if is_open else None,
            documents=frozenset(each["code"] for each in documents),
            may_follow=frozenset(each["code"] for each in documents if each.get("may_follow")),
            fields=frozenset(item.get("form", {}).get("properties", ())),
            delivery=tuple(result.get("delivery") or _ways(result)),
        )

    def at(self, department: str) -> Procedure:
        """The same, of a case that was transferred to another competent department."""
        return self if department == self.department else replace(self, department=department)

    @property
    def acceptance(self) -> Step:
        """The first step of staff: there a case is taken up or not."""
        first = next(iter(self.steps.values()))
        if first.is_staffs:
            return first
        return next((self.steps[code] for code in first.next if self.steps[code].is_staffs), first)

    @property
    def after_acceptance(self) -> Step:
        """Where an accepted case is worked on; the same step where the procedure has one only."""
        return next((step for step in self.onward(self.acceptance)), self.acceptance)

    def onward(self, step: Step) -> list[Step]:
        """The steps of staff that this one may be finished into. An end is no work: a decision leads there."""
        following = [self.steps[code] for code in step.next]
        return [each for each in following if each.is_staffs and each.next and each.code != self.acceptance.code]

    def step(self, code: str | None, status: str) -> Step:
        """The step of a case; a case of before there were steps is in the one that its status tells."""
        if code in self.steps and code is not None:
            return self.steps[code]
        return self.acceptance if status in (SUBMITTED, states.NOT_ACCEPTED) else self.after_acceptance

    def department_of(self, step: Step) -> str:
        return step.department or self.department

    def allows(self, step: Step, status: str, action: str, part: str) -> bool:
        """Whether the step allows an action of the kind that steps decide about."""
        if part == CLERK and step.role == OFFICER and action not in _BY_CLERKS_ANYWHERE:
            return False
        possible = self._possible(step, status)
        return action in possible and (step.actions is None or action in step.actions)

    def _possible(self, step: Step, status: str) -> set[str]:
        possible = {"delegate"} if step.delegates else set()
        if status == SUBMITTED:
            possible |= {"accept", "not_accept", "request_correction"}
            if self.provisional_days is not None and self.may_follow:
                possible.add("accept_provisionally")
        if status in (ACCEPTED, PROVISIONALLY_ACCEPTED):
            possible |= {"request_correction", "suspend"}
            if self.onward(step):
                possible.add("finish_step")
            if self._can_grant(step):
                possible |= {"approve", "refuse"}
            if any(not self.steps[code].next for code in step.next):
                possible.add("refuse")
        return possible

    def _can_grant(self, step: Step) -> bool:
        """What the platform does next, such as issuing the result, follows a grant; so does nothing at all."""
        return not self.onward(step) or any(self.steps[code].role == _PLATFORM for code in step.next)


def _step(step: Mapping[str, Any]) -> Step:
    actions = step.get("actions")
    return Step(
        code=step["code"],
        role=step["role"],
        department=step.get("department"),
        days=step.get("days"),
        next=tuple(step.get("next", ())),
        actions=None if actions is None else frozenset(actions),
        delegates=tuple(step.get("delegates", ())),
    )


def _ways(result: Mapping[str, Any]) -> tuple[str, ...]:
    return states.DELIVERY_WAYS if result.get("electronic", True) else ("counter", "post")


STANDARD_STEPS: Final = {
    "apply": Step("apply", _APPLICANT, next=("accept",)),
    "accept": Step("accept", CLERK, next=("correct", "decide")),
    "correct": Step("correct", _APPLICANT, next=("accept",)),
    "decide": Step("decide", OFFICER, next=("issue", "refuse")),
    "issue": Step("issue", _PLATFORM),
    "refuse": Step("refuse", OFFICER),
}
"""Of an item that declares no steps of its own."""


def standard(department: str) -> Procedure:
    return Procedure(department=department, steps=STANDARD_STEPS)
