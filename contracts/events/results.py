"""What a decision issues."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.base import ItemEvent
from contracts.events.cases import CaseEvent


@dataclass(frozen=True, slots=True)
class ResultIssued(ItemEvent):
    """A decision made its document: `paper` is its code in the catalogue, `result` its id, `form` what it is.

    `form` is `certificate` or `decision`. `valid_until` is its last day, `-` if it has none.
    """

    type = "result.issued"
    source = "cases"
    is_alone = True
    is_private = True

    result: str
    number: str
    item: str
    department: str
    region: str
    kind: str
    applicant: str
    paper: str
    form: str
    valid_until: str = "-"

    @property
    def subject(self) -> str:
        return self.result


@dataclass(frozen=True, slots=True)
class CaseResultRevoked(CaseEvent):
    """The result of the case, a `paper` of the catalogue, is not good any more, for a `reason`: `error`, ..."""

    type = "case.result-revoked"

    paper: str
    reason: str
