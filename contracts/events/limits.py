"""What time does to a case."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.cases import CaseEvent


@dataclass(frozen=True, slots=True)
class CaseLapsed(CaseEvent):
    """The applicant's date `until` has passed without an answer; the case has ended."""

    type = "case.lapsed"

    until: str


@dataclass(frozen=True, slots=True)
class CaseDueSoon(CaseEvent):
    """The promised limit ends soon, with the day `due_on`."""

    type = "case.due-soon"

    due_on: str


@dataclass(frozen=True, slots=True)
class CaseOverdue(CaseEvent):
    """A limit, `promised` or `statutory`, ended with the day `due_on`, and the case has not."""

    type = "case.overdue"

    due_on: str
    limit: str


@dataclass(frozen=True, slots=True)
class CaseEscalated(CaseEvent):
    """The case is overdue for so long that the next `level` (from 1) is told: whoever has the `role`.

    A role of a department's is meant in the department `handler`, which has the case in hand (`-`: it was not said).
    """

    type = "case.escalated"

    due_on: str
    level: int
    role: str
    handler: str = "-"
