"""The state machine of a case, as data: statuses, actions, and what each action makes of each status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.events import (
    CaseAccepted,
    CaseApproved,
    CaseAssigned,
    CaseClosed,
    CaseCorrected,
    CaseDelegated,
    CaseDelivered,
    CaseEvent,
    CaseHandedBack,
    CaseLapsed,
    CaseNotAccepted,
    CasePapersReceived,
    CasePapersReturned,
    CasePassedOn,
    CaseProvisionallyAccepted,
    CaseRefused,
    CaseReleased,
    CaseReopened,
    CaseResumed,
    CaseStepFinished,
    CaseSupplied,
    CaseSuspended,
    CaseTransferred,
    CaseWithdrawn,
    CorrectionRequested,
)

SUBMITTED: Final = "submitted"
ACCEPTED: Final = "accepted"
PROVISIONALLY_ACCEPTED: Final = "provisionally_accepted"
CORRECTION_REQUESTED: Final = "correction_requested"
SUSPENDED: Final = "suspended"
NOT_ACCEPTED: Final = "not_accepted"
WITHDRAWN: Final = "withdrawn"
LAPSED: Final = "lapsed"
CLOSED: Final = "closed"

OPEN: Final = (SUBMITTED, ACCEPTED, PROVISIONALLY_ACCEPTED, CORRECTION_REQUESTED, SUSPENDED)
ENDED: Final = (NOT_ACCEPTED, WITHDRAWN, LAPSED, CLOSED)
STATUSES: Final = OPEN + ENDED

RUNNING: Final = (SUBMITTED, ACCEPTED, PROVISIONALLY_ACCEPTED)
"""While a case waits for the applicant, or for what the law takes out of the limit, its clock stands."""

AWAITING: Final = (CORRECTION_REQUESTED, PROVISIONALLY_ACCEPTED)
"""The applicant has a date; when it passes, the case lapses."""

# Whom an actor is to a case. The first three are also the role words of the shared history.
CITIZEN: Final = "citizen"
CLERK: Final = "clerk"
OFFICER: Final = "officer"
SUPERVISOR: Final = "supervisor"
PROGRAM: Final = "program"
SYSTEM: Final = "system"

STAFF: Final = (CLERK, OFFICER)

HANDLER: Final = "handler"
EITHER: Final = "either"


@dataclass(frozen=True, slots=True)
class Action:
    """Who may do it, the events that it makes (in this order), and what goes with it.

    `of_step`: only where the step that the case is in allows it. `at`: officers of the department that handles the
    case now, or of `either` that one and the competent one. `is_work`: what somebody has claimed is theirs to do.
    `needs_version`: the status does not tell whether somebody was faster, so who acts says what they have read.
    `brings_form`: it may replace the form. A correction need not: what was missing may be a document or an answer.
    `details`: what of `Details` it takes besides a note.
    """

    by: tuple[str, ...]
    events: tuple[type[CaseEvent], ...]
    needs_note: bool = False
    brings_form: bool = False
    decision: str | None = None
    of_step: bool = False
    at: str = HANDLER
    is_work: bool = True
    needs_version: bool = False
    details: tuple[str, ...] = ()


ACTIONS: Final[dict[str, Action]] = {
    "accept": Action(by=STAFF, events=(CaseAccepted,), of_step=True),
    "accept_provisionally": Action(
        by=STAFF, events=(CaseProvisionallyAccepted,), of_step=True, details=("missing", "until")
    ),
    "not_accept": Action(by=(OFFICER,), events=(CaseNotAccepted,), of_step=True, needs_note=True),
    "request_correction": Action(
        by=STAFF, events=(CorrectionRequested,), of_step=True, needs_note=True, details=("missing", "until")
    ),
    "correct": Action(by=(CITIZEN,), events=(CaseCorrected,), brings_form=True),
    "supply": Action(by=(CITIZEN,), events=(CaseSupplied,), brings_form=True),
    "suspend": Action(by=(OFFICER,), events=(CaseSuspended,), of_step=True, needs_note=True, details=("reason",)),
    "resume": Action(by=(OFFICER,), events=(CaseResumed,)),
    "finish_step": Action(by=STAFF, events=(CaseStepFinished,), of_step=True, needs_version=True, details=("to",)),
    "approve": Action(by=(OFFICER,), events=(CaseApproved, CaseClosed), of_step=True, decision="approved"),
    "refuse": Action(
        by=(OFFICER,), events=(CaseRefused, CaseClosed), of_step=True, needs_note=True, decision="refused"
    ),
    "claim": Action(by=STAFF, events=(CaseAssigned,)),
    "assign": Action(by=(OFFICER,), events=(CaseAssigned,), is_work=False, needs_version=True, details=("to",)),
    "release": Action(by=STAFF, events=(CaseReleased,), is_work=False, needs_version=True),
    "delegate": Action(
        by=(OFFICER,), events=(CaseDelegated,), of_step=True, needs_note=True, needs_version=True, details=("to",)
    ),
    "hand_back": Action(by=(OFFICER,), events=(CaseHandedBack,), at=EITHER, is_work=False, needs_version=True),
    "deliver": Action(by=STAFF, events=(CaseDelivered,), at=EITHER, is_work=False, details=("way", "tracking")),
    "transfer": Action(
        by=(OFFICER,),
        events=(CaseTransferred,),
        is_work=False,
        needs_note=True,
        needs_version=True,
        details=("to", "region"),
    ),
    "pass_on": Action(by=STAFF, events=(CasePassedOn,), is_work=False, needs_version=True, details=("papers",)),
    "receive_papers": Action(by=STAFF, events=(CasePapersReceived,), is_work=False, needs_version=True),
    "return_papers": Action(
        by=(OFFICER,), events=(CasePapersReturned,), is_work=False, needs_note=True, needs_version=True
    ),
    "withdraw": Action(by=(CITIZEN,), events=(CaseWithdrawn,)),
    "lapse": Action(by=(SYSTEM,), events=(CaseLapsed,)),
    "reopen": Action(
        by=(OFFICER,), events=(CaseReopened,), at=EITHER, is_work=False, needs_note=True, needs_version=True
    ),
}

BEFORE_CORRECTION: Final = "the status before the correction request"
SAME: Final = "the same status"

_HANDED_AROUND: Final = {(status, name): SAME for status in OPEN for name in ("claim", "assign", "release")}
_CARRIED: Final = {(status, name): SAME for status in OPEN for name in ("pass_on", "receive_papers", "return_papers")}
_TAKEN_BACK: Final = {(status, "withdraw"): WITHDRAWN for status in OPEN}

TRANSITIONS: Final[dict[tuple[str, str], str]] = {
    (SUBMITTED, "accept"): ACCEPTED,
    (SUBMITTED, "accept_provisionally"): PROVISIONALLY_ACCEPTED,
    (SUBMITTED, "not_accept"): NOT_ACCEPTED,
    (SUBMITTED, "request_correction"): CORRECTION_REQUESTED,
    (SUBMITTED, "delegate"): SAME,
    (SUBMITTED, "hand_back"): SAME,
    (ACCEPTED, "request_correction"): CORRECTION_REQUESTED,
    (ACCEPTED, "suspend"): SUSPENDED,
    (ACCEPTED, "finish_step"): SAME,
    (ACCEPTED, "delegate"): SAME,
    (ACCEPTED, "hand_back"): SAME,
    (ACCEPTED, "approve"): CLOSED,
    (ACCEPTED, "refuse"): CLOSED,
    (PROVISIONALLY_ACCEPTED, "supply"): ACCEPTED,
    (PROVISIONALLY_ACCEPTED, "finish_step"): SAME,
    (PROVISIONALLY_ACCEPTED, "refuse"): CLOSED,
    (PROVISIONALLY_ACCEPTED, "lapse"): LAPSED,
    (CORRECTION_REQUESTED, "correct"): BEFORE_CORRECTION,
    (CORRECTION_REQUESTED, "lapse"): LAPSED,
    (SUSPENDED, "resume"): ACCEPTED,
    (SUBMITTED, "transfer"): SAME,
    (ACCEPTED, "transfer"): SAME,
    (CLOSED, "pass_on"): SAME,
    (CLOSED, "receive_papers"): SAME,
    (CLOSED, "deliver"): SAME,
    (CLOSED, "reopen"): ACCEPTED,
    (NOT_ACCEPTED, "reopen"): SUBMITTED,
    (LAPSED, "reopen"): SUBMITTED,
} | (_HANDED_AROUND | _CARRIED | _TAKEN_BACK)
"""(status, action) -> status. What is not here is not allowed."""

SUSPENSION_REASONS: Final = ("hearing", "inspection", "appraisal", "expert-review", "notice", "other-case")
"""What the law takes out of the limit (Administrative Licensing Law, article 45), or another case comes first."""

AT_HALL: Final = "at-hall"
UNDER_WAY: Final = "under-way"
RECEIVED: Final = "received"
RETURNED: Final = "returned"
RESULT_UNDER_WAY: Final = "result-under-way"
RESULT_AT_HALL: Final = "result-at-hall"
"""Where the papers of a case are that was filed in another region than decides it; later, where its result is."""

PAPER_FORMS: Final = ("original", "copy", "electronic")

DELIVERY_WAYS: Final = ("download", "counter", "post")
