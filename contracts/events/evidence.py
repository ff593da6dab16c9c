"""Documents that are fetched from who has them: what the case is told, and what the source is."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.base import ItemEvent
from contracts.events.cases import CaseEvent


@dataclass(frozen=True, slots=True)
class CaseEvidenceRequested(CaseEvent):
    """With the applicant's consent a `document` of the case is fetched: `giver` is asked for the `paper`."""

    type = "case.evidence-requested"

    document: str
    paper: str
    giver: str


@dataclass(frozen=True, slots=True)
class CaseEvidenceAnswered(CaseEvent):
    """The `outcome` of fetching a `document`: `provided`, `not-found` or `needs-citizen`. The applicant looks at it."""

    type = "case.evidence-answered"

    document: str
    outcome: str


@dataclass(frozen=True, slots=True)
class CaseEvidenceOverdue(CaseEvent):
    """The `giver` of a `document` has not answered in time: the applicant may bring it."""

    type = "case.evidence-overdue"

    document: str
    giver: str


@dataclass(frozen=True, slots=True)
class CaseEvidenceUsed(CaseEvent):
    """The applicant lets a `document` that was fetched be used, or it is a certificate that they hold."""

    type = "case.evidence-used"

    document: str


@dataclass(frozen=True, slots=True)
class CaseFormCorrected(CaseEvent):
    """The applicant has put fields of the form right that differed from a `document` that was fetched, by what it says.

    Nobody has asked for it, and the case stays as it stands.
    """

    type = "case.form-corrected"

    document: str


@dataclass(frozen=True, slots=True)
class EvidenceEvent(ItemEvent):
    """An event of one request for evidence, for whoever is asked: `department` is theirs, not the case's.

    Nothing says whose it is; the source asks the API, and that look is in the citizen's access log. `until` is the
    moment by which an answer is expected (RFC 3339).
    """

    source = "cases"

    evidence: str
    number: str
    paper: str
    department: str
    region: str
    kind: str
    item: str
    until: str = "-"

    @property
    def subject(self) -> str:
        return self.evidence


@dataclass(frozen=True, slots=True)
class EvidenceRequested(EvidenceEvent):
    """A citizen has consented: please say what you have."""

    type = "evidence.requested"


@dataclass(frozen=True, slots=True)
class EvidenceOverdue(EvidenceEvent):
    """The request was not answered in time; an answer is still taken."""

    type = "evidence.overdue"


@dataclass(frozen=True, slots=True)
class EvidenceWithdrawn(EvidenceEvent):
    """No answer is wanted any more: the consent was withdrawn, or the case has ended."""

    type = "evidence.withdrawn"
