"""What happens to a case: it is filed, taken up, decided, delivered, and rated."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.base import ItemEvent


@dataclass(frozen=True, slots=True)
class CaseEvent(ItemEvent):
    """An event of one case: its number, what it is about, who is competent, and whose it is (`sub`)."""

    source = "cases"

    number: str
    item: str
    department: str
    region: str
    kind: str
    applicant: str

    @property
    def subject(self) -> str:
        return self.number


@dataclass(frozen=True, slots=True)
class CaseSubmitted(CaseEvent):
    """The citizen filed a case; `joint` is the joint case that it is a part of, `-` for none."""

    type = "case.submitted"

    joint: str = "-"


@dataclass(frozen=True, slots=True)
class CaseAccepted(CaseEvent):
    """The case was taken up; its time limits run."""

    type = "case.accepted"


@dataclass(frozen=True, slots=True)
class CorrectionRequested(CaseEvent):
    """Everything that is missing was named, once; the citizen is to correct it, by the day `until`.

    It was not always said: then it is `-`.
    """

    type = "case.correction-requested"

    until: str = "-"


@dataclass(frozen=True, slots=True)
class CaseCorrected(CaseEvent):
    """The citizen corrected the case; it goes on where it stood."""

    type = "case.corrected"


@dataclass(frozen=True, slots=True)
class CaseApproved(CaseEvent):
    """The case was decided in the citizen's favour. A closing follows in the same commit."""

    type = "case.approved"


@dataclass(frozen=True, slots=True)
class CaseRefused(CaseEvent):
    """The case was decided against the citizen, with the reason. A closing follows in the same commit."""

    type = "case.refused"


@dataclass(frozen=True, slots=True)
class CaseWithdrawn(CaseEvent):
    """The citizen took the case back; nothing more happens to it."""

    type = "case.withdrawn"


@dataclass(frozen=True, slots=True)
class CaseClosed(CaseEvent):
    """The case has its decision, `approved` or `refused`, and nothing more happens to it but its rating."""

    type = "case.closed"

    decision: str


@dataclass(frozen=True, slots=True)
class CaseProvisionallyAccepted(CaseEvent):
    """The case was taken up with its main documents; the rest follows by the day `until`, or the case lapses."""

    type = "case.provisionally-accepted"

    until: str


@dataclass(frozen=True, slots=True)
class CaseSupplied(CaseEvent):
    """What was to follow after a provisional acceptance has come."""

    type = "case.supplied"


@dataclass(frozen=True, slots=True)
class CaseNotAccepted(CaseEvent):
    """The case was not taken up, with the reason."""

    type = "case.not-accepted"


@dataclass(frozen=True, slots=True)
class CaseSuspended(CaseEvent):
    """The clock stands, for a `reason` of the law: `hearing`, `inspection`, `appraisal`, `expert-review`, ..."""

    type = "case.suspended"

    reason: str


@dataclass(frozen=True, slots=True)
class CaseResumed(CaseEvent):
    """The clock runs again, with the time that was left."""

    type = "case.resumed"


@dataclass(frozen=True, slots=True)
class CaseDelivered(CaseEvent):
    """The citizen has the result: by `download`, at the `counter`, or by `post`."""

    type = "case.delivered"

    way: str


@dataclass(frozen=True, slots=True)
class CaseReopened(CaseEvent):
    """A review took the decision back; the case goes on, and its clock begins anew."""

    type = "case.reopened"


@dataclass(frozen=True, slots=True)
class CaseRated(CaseEvent):
    """The shared history took over a rating; `score` is 1 to 5."""

    type = "case.rated"

    score: int
