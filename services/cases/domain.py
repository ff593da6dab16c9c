"""The rules of a case: what may happen to it, by whom, and what follows. No clock, no database.

They stand in `services.cases.work`: this is what the rest of the service says of them.
"""

from services.cases.work.acting import act, allowed_actions, begun, choices, rate, submitted
from services.cases.work.case import Case, Change
from services.cases.work.passing import pass_time
from services.cases.work.people import (
    applicant_of,
    is_program,
    parts_of,
    require_assurance,
    require_mandate_for,
    require_visible,
)
from services.cases.work.situation import NO_DETAILS, Details, Missing
from services.cases.work.states import (
    ACCEPTED,
    ACTIONS,
    BEFORE_CORRECTION,
    CITIZEN,
    CLERK,
    CLOSED,
    CORRECTION_REQUESTED,
    ENDED,
    LAPSED,
    NOT_ACCEPTED,
    OFFICER,
    OPEN,
    PROGRAM,
    PROVISIONALLY_ACCEPTED,
    SAME,
    STAFF,
    STATUSES,
    SUBMITTED,
    SUSPENDED,
    TRANSITIONS,
    WITHDRAWN,
    Action,
)

__all__ = [
    "ACCEPTED",
    "ACTIONS",
    "BEFORE_CORRECTION",
    "CITIZEN",
    "CLERK",
    "CLOSED",
    "CORRECTION_REQUESTED",
    "ENDED",
    "LAPSED",
    "NOT_ACCEPTED",
    "NO_DETAILS",
    "OFFICER",
    "OPEN",
    "PROGRAM",
    "PROVISIONALLY_ACCEPTED",
    "SAME",
    "STAFF",
    "STATUSES",
    "SUBMITTED",
    "SUSPENDED",
    "TRANSITIONS",
    "WITHDRAWN",
    "Action",
    "Case",
    "Change",
    "Details",
    "Missing",
    "act",
    "allowed_actions",
    "applicant_of",
    "begun",
    "choices",
    "is_program",
    "parts_of",
    "pass_time",
    "rate",
    "require_assurance",
    "require_mandate_for",
    "require_visible",
    "submitted",
]
