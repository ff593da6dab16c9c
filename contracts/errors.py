"""Errors that cross RPC and come back as themselves.

Nameko sends an exception's `args` only, so every error takes JSON positional arguments and passes them on unchanged.
`ERROR_OF_PATH` turns the path on the wire back into the class; an error that is not in it is a fault of ours, not an
answer, and its text goes no further than the log.
"""

from __future__ import annotations

from typing import Any, TypedDict


class Fault(TypedDict):
    """One wrong place in what was sent: a JSON pointer (RFC 6901), the rule it breaks, and the rule's value."""

    pointer: str
    rule: str
    value: Any


class ServiceError(Exception):
    """What every error that is meant for the caller has in common."""

    @classmethod
    def path(cls) -> str:
        return f"{cls.__module__}.{cls.__qualname__}"


class NotFound(ServiceError):
    """Args: what is missing (`case`, `item`, ...), its name. Also said of what the caller may not know of."""


class NotPermitted(ServiceError):
    """Args: what was to be done. The caller may see the thing but not do this."""


class ActionNotAllowed(ServiceError):
    """Args: the action, the status that forbids it."""


class CorrectionAlreadyRequested(ServiceError):
    """Args: the case number. Everything that is missing is named once, and it was."""


class CaseChanged(ServiceError):
    """Args: the case number, its version now. Somebody was faster: look again, then decide."""


class VersionNeeded(ServiceError):
    """Args: the action. Its status does not tell whether somebody was faster, so say which version you have read."""


class InvalidInput(ServiceError):
    """Args: a list of `Fault`, one for every wrong place."""

    @property
    def faults(self) -> list[Fault]:
        return list(self.args[0])


class IdempotencyKeyReused(ServiceError):
    """Args: the key. It was used before with another request."""


class ItemNotOnline(ServiceError):
    """Args: the item's code. The catalogue says who offers it; a case of it cannot be filed here."""


class NotFiledHere(ServiceError):
    """Args: the item's code, the department and the region that decide, that region's name in our languages, its halls'
    names. The item is not open to the region of this counter.
    """


class ItemIsJoint(ServiceError):
    """Args: the item's code. Its form files several items at once, as a joint case."""


class ItemVersionOutdated(ServiceError):
    """Args: the item's code, the version that is published now. The form that was filled in is an older one."""


class DraftChanged(ServiceError):
    """Args: the draft, its revision. It is not the one that the change was made for."""


class TooManyDrafts(ServiceError):
    """Args: how many a person may have."""


class UploadMoved(ServiceError):
    """Args: how many bytes are there. The next ones are to begin behind them."""


class TooManyUploads(ServiceError):
    """Args: how many uploads of one person may be under way."""


class CaseAlreadyRated(ServiceError):
    """Args: the case number."""


class CaseNotClosed(ServiceError):
    """Args: the case number. Only a closed case can be rated."""


class SignInRefused(ServiceError):
    """No args: a stranger hears the same whatever the reason."""


class TooManyAttempts(ServiceError):
    """Args: after how many seconds it may be tried again. The same for somebody and nobody."""


class SessionEnded(ServiceError):
    """No args: the session is unknown, ended or expired; sign in again."""


class StepUpRequired(ServiceError):
    """Args: the level of assurance (`acr`) that is needed; the token's is lower (RFC 9470)."""


class SignInTooOld(ServiceError):
    """No args: this changes how an account is proved; sign in again, with all its factors, and come back."""


class UsernameTaken(ServiceError):
    """Args: the user name."""


class SubscriptionNameTaken(ServiceError):
    """Args: the name. It belongs to another subscription, or to one whose queue is not removed yet."""


class SubscriptionEnded(ServiceError):
    """Args: the name. Nothing more comes to it."""


class TooManySubscriptions(ServiceError):
    """Args: how many an owner may have."""


class TooManyNewSubscriptions(ServiceError):
    """Args: how many an owner may make in 24 hours."""


class AgreementNeeded(ServiceError):
    """Args: the departments whose events were asked for (`*` for all) without an agreement that allows it."""


class ReplayUnderWay(ServiceError):
    """Args: the subscription's name. One range is sent again at a time."""


class ReplayTooSoon(ServiceError):
    """Args: how many seconds must lie between two ranges of one subscription."""


class TooManyWaiting(ServiceError):
    """Args: how many events may wait for a subscription to which a range is sent again."""


class DeliveryNotFailed(ServiceError):
    """Args: the delivery, its status. Only one that was given up can be sent again."""


class WebhookTestUnderWay(ServiceError):
    """Args: the subscription. A test event is being sent to its webhook already."""


class WebhookJustResumed(ServiceError):
    """Args: the subscription. Its webhook was resumed seconds ago, and may not be so soon again."""


class ServiceUnavailable(ServiceError):
    """Args: the part that does not answer (`cases`, `database`, ...). The call may be made again later."""


ERROR_OF_PATH: dict[str, type[ServiceError]] = {
    error.path(): error
    for error in (
        NotFound,
        NotPermitted,
        ActionNotAllowed,
        CorrectionAlreadyRequested,
        CaseChanged,
        VersionNeeded,
        InvalidInput,
        IdempotencyKeyReused,
        ItemNotOnline,
        NotFiledHere,
        ItemIsJoint,
        ItemVersionOutdated,
        DraftChanged,
        TooManyDrafts,
        UploadMoved,
        TooManyUploads,
        CaseAlreadyRated,
        CaseNotClosed,
        SignInRefused,
        TooManyAttempts,
        SessionEnded,
        StepUpRequired,
        SignInTooOld,
        UsernameTaken,
        SubscriptionNameTaken,
        SubscriptionEnded,
        TooManySubscriptions,
        TooManyNewSubscriptions,
        AgreementNeeded,
        ReplayUnderWay,
        ReplayTooSoon,
        TooManyWaiting,
        DeliveryNotFailed,
        WebhookTestUnderWay,
        WebhookJustResumed,
        ServiceUnavailable,
    )
}
