"""The typed events. One class a type; the class says its CloudEvents `type` and which service publishes it.

Events are thin: numbers, codes and pseudonymous subjects, never a name, an ID number or what was written in a form.
A type only gains optional fields; a breaking change is a new type.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """What every event has. `subject` is what its sequence counts for: a case number, an account's `sub`."""

    type: ClassVar[str]
    source: ClassVar[str]
    is_alone: ClassVar[bool] = False
    """Whether it is the only event of its subject: nothing comes before or after it, so its sequence is always 1."""
    is_private: ClassVar[bool] = False
    """Whether it is told to the person alone: no department may subscribe to it."""

    @property
    def subject(self) -> str:
        raise LookupError(f"{type(self).__name__} names no subject")

    @property
    def routing_key(self) -> str:
        """`<type>.<department>.<region>.<kind>.<item>`, `-` for a part that does not apply."""
        return f"{self.type}.-.-.-.-"

    def to_data(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CaseEvent(Event):
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

    @property
    def routing_key(self) -> str:
        return ".".join((self.type, self.department, self.region, self.kind, self.item))


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
class CaseStepFinished(CaseEvent):
    """The case went from one step of its procedure into the next."""

    type = "case.step-finished"

    step: str
    next_step: str


@dataclass(frozen=True, slots=True)
class CaseAssigned(CaseEvent):
    """Somebody of the department that handles the case has it in hand."""

    type = "case.assigned"


@dataclass(frozen=True, slots=True)
class CaseReleased(CaseEvent):
    """Nobody in particular has the case in hand any more."""

    type = "case.released"


@dataclass(frozen=True, slots=True)
class CaseDelegated(CaseEvent):
    """The department `giver` passed the case to the department `taker`, which handles it now."""

    type = "case.delegated"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CaseHandedBack(CaseEvent):
    """The case went back from the department `giver` to `taker`, which had passed it on."""

    type = "case.handed-back"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CasePassedOn(CaseEvent):
    """What was handed in went from the hall `giver` to the department `taker`, or a result the other way."""

    type = "case.passed-on"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CasePapersReceived(CaseEvent):
    """The `taker` has what the `giver` passed on."""

    type = "case.papers-received"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CasePapersReturned(CaseEvent):
    """The department `giver` sent what was passed on back to the hall `taker`, with the reason."""

    type = "case.papers-returned"

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class CaseTransferred(CaseEvent):
    """The case was not `giver`'s to decide; it is the department `taker`'s, of the event's region, from now on."""

    type = "case.transferred"

    giver: str
    taker: str
    giver_region: str


@dataclass(frozen=True, slots=True)
class CaseDelivered(CaseEvent):
    """The citizen has the result: by `download`, at the `counter`, or by `post`."""

    type = "case.delivered"

    way: str


@dataclass(frozen=True, slots=True)
class CaseLapsed(CaseEvent):
    """The applicant's date `until` has passed without an answer; the case has ended."""

    type = "case.lapsed"

    until: str


@dataclass(frozen=True, slots=True)
class CaseReopened(CaseEvent):
    """A review took the decision back; the case goes on, and its clock begins anew."""

    type = "case.reopened"


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


@dataclass(frozen=True, slots=True)
class CaseRated(CaseEvent):
    """The shared history took over a rating; `score` is 1 to 5."""

    type = "case.rated"

    score: int


@dataclass(frozen=True, slots=True)
class CaseResultRevoked(CaseEvent):
    """The result of the case, a `paper` of the catalogue, is not good any more, for a `reason`: `error`, ..."""

    type = "case.result-revoked"

    paper: str
    reason: str


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
class EvidenceEvent(Event):
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

    @property
    def routing_key(self) -> str:
        return ".".join((self.type, self.department, self.region, self.kind, self.item))


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


@dataclass(frozen=True, slots=True)
class ResultIssued(Event):
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

    @property
    def routing_key(self) -> str:
        return ".".join((self.type, self.department, self.region, self.kind, self.item))


@dataclass(frozen=True, slots=True)
class DraftEvent(Event):
    """Something that its owner is told of a draft. Each notice is a subject of its own: a draft has no history."""

    source = "cases"
    is_private = True

    notice: str
    draft: str
    item: str
    applicant: str

    @property
    def subject(self) -> str:
        return self.notice


@dataclass(frozen=True, slots=True)
class DraftExpiring(DraftEvent):
    """The draft was not changed for long, and is deleted in some days."""

    type = "draft.expiring"


@dataclass(frozen=True, slots=True)
class DraftExpired(DraftEvent):
    """The draft was not changed for so long that it was deleted."""

    type = "draft.expired"


@dataclass(frozen=True, slots=True)
class RatingEvent(CaseEvent):
    """An event of a case's rating. The rating counts its own sequence under the case's number."""

    source = "rating"


@dataclass(frozen=True, slots=True)
class RatingInvited(RatingEvent):
    """The citizen was invited to rate a closed case."""

    type = "rating.invited"


@dataclass(frozen=True, slots=True)
class RatingReminded(RatingEvent):
    """The citizen was invited some days ago, has not rated the case yet, and was reminded of it once."""

    type = "rating.reminded"


@dataclass(frozen=True, slots=True)
class RatingGiven(RatingEvent):
    """The citizen rated the case; `score` is 1 (very dissatisfied) to 5 (very satisfied)."""

    type = "rating.given"

    score: int


@dataclass(frozen=True, slots=True)
class AccountEvent(Event):
    """An event of one account, named by its `sub`."""

    source = "identity"

    account: str

    @property
    def subject(self) -> str:
        return self.account


@dataclass(frozen=True, slots=True)
class AccountRegistered(AccountEvent):
    """A new account can sign in."""

    type = "account.registered"


@dataclass(frozen=True, slots=True)
class SignedIn(AccountEvent):
    """A new browser session was opened, with a password at `channel` (in the envelope)."""

    type = "account.signed-in"


@dataclass(frozen=True, slots=True)
class DetailsClaimed(AccountEvent):
    """Somebody else said that this account's ID number, phone or mail is theirs, and was not believed."""

    type = "account.details-claimed"


@dataclass(frozen=True, slots=True)
class AccountClosed(AccountEvent):
    """The account is at its end: nobody signs in, and nothing more is sent."""

    type = "account.closed"


@dataclass(frozen=True, slots=True)
class LookReported(AccountEvent):
    """The citizen says that an entry of their access log looks wrong. What they say is asked of identity."""

    type = "account.look-reported"

    report: str


@dataclass(frozen=True, slots=True)
class LookAnswered(AccountEvent):
    """An auditor has answered such a report."""

    type = "account.look-answered"

    report: str


@dataclass(frozen=True, slots=True)
class DataViewed(Event):
    """Somebody else than the citizen looked at the citizen's data. Each look is a subject of its own.

    So looks at one citizen's data never wait for each other. `viewer` is an account's `sub` or a client's id; `role`,
    `what` and `purpose` are codes of `contracts.access`; `number` names the thing; `hall` is the counter's; `-` where
    none applies.
    """

    type = "data.viewed"
    source = "cases"
    is_alone = True

    look: str
    account: str
    viewer: str
    client: str
    role: str
    department: str
    what: str
    number: str
    purpose: str
    hall: str = "-"

    @property
    def subject(self) -> str:
        return self.look


@dataclass(frozen=True, slots=True)
class CodeIssued(Event):
    """A one-time code waits to be sent: to a `mail` address or by `sms`. The challenge opens neither of them."""

    type = "code.issued"
    source = "identity"
    is_alone = True

    challenge: str
    address_kind: str

    @property
    def subject(self) -> str:
        return self.challenge


@dataclass(frozen=True, slots=True)
class SecurityChanged(AccountEvent):
    """The way an account is proved has changed: `change` is `password-changed`, `totp-added`, `recovery-begun`, ...

    The words are in `contracts.security`. `alert` names the notice: where it goes, and what its owner may do by it, is
    asked of identity. `ways` are the kinds of addresses that it goes to, with spaces between; `-` for none.
    """

    type = "account.security-changed"

    change: str
    alert: str
    ways: str = "-"


EVENTS: tuple[type[Event], ...] = (
    CaseSubmitted,
    CaseAccepted,
    CorrectionRequested,
    CaseCorrected,
    CaseApproved,
    CaseRefused,
    CaseWithdrawn,
    CaseClosed,
    CaseProvisionallyAccepted,
    CaseSupplied,
    CaseNotAccepted,
    CaseSuspended,
    CaseResumed,
    CaseStepFinished,
    CaseAssigned,
    CaseReleased,
    CaseDelegated,
    CaseHandedBack,
    CasePassedOn,
    CasePapersReceived,
    CasePapersReturned,
    CaseTransferred,
    CaseDelivered,
    CaseLapsed,
    CaseReopened,
    CaseDueSoon,
    CaseOverdue,
    CaseEscalated,
    CaseRated,
    CaseResultRevoked,
    CaseEvidenceRequested,
    CaseEvidenceAnswered,
    CaseEvidenceOverdue,
    CaseEvidenceUsed,
    EvidenceRequested,
    EvidenceOverdue,
    EvidenceWithdrawn,
    ResultIssued,
    DraftExpiring,
    DraftExpired,
    RatingInvited,
    RatingReminded,
    RatingGiven,
    AccountRegistered,
    SignedIn,
    DetailsClaimed,
    AccountClosed,
    SecurityChanged,
    LookReported,
    LookAnswered,
    DataViewed,
    CodeIssued,
)

EVENT_OF_TYPE: dict[str, type[Event]] = {event.type: event for event in EVENTS}
