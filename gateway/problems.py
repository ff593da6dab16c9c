"""What a client hears when something is wrong: `application/problem+json` (RFC 9457).

`PROBLEM_OF_ERROR` is the one table from an exception's class to what is said of it. Nothing else of the exception is
shown than what its catalogue entry names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import Response

from contracts import errors
from contracts.errors import Fault, InvalidInput, ServiceError
from gateway.languages import CATALOGUES, Catalogue, preferred
from gateway.rpc.calls import InternalError
from gateway.tokens import InsufficientScope, TokenRefused

RETRY_AFTER = "5"


@dataclass(frozen=True, slots=True)
class Problem:
    """`name` is the last part of the problem's type and its key in the catalogues."""

    status: int
    name: str


INTERNAL = Problem(500, "internal")
CROSS_SITE = Problem(403, "cross-site")
TOO_LARGE = Problem(413, "too-large")
ADDRESS_TOO_LONG = Problem(414, "address-too-long")
HEADERS_TOO_LARGE = Problem(431, "headers-too-large")
BROKEN_JSON = Problem(400, "broken-json")
UNREADABLE = Problem(400, "unreadable")

PROBLEM_OF_ERROR: dict[type[Exception], Problem] = {
    errors.NotFound: Problem(404, "not-found"),
    errors.NotPermitted: Problem(403, "not-permitted"),
    errors.ActionNotAllowed: Problem(409, "action-not-allowed"),
    errors.CorrectionAlreadyRequested: Problem(409, "correction-already-requested"),
    errors.CaseChanged: Problem(412, "case-changed"),
    # RFC 6585, section 3
    errors.VersionNeeded: Problem(428, "version-needed"),
    errors.InvalidInput: Problem(422, "invalid-input"),
    # draft-ietf-httpapi-idempotency-key-header, section 2.7: 422 for a key reused with another request
    errors.IdempotencyKeyReused: Problem(422, "idempotency-key-reused"),
    errors.ItemNotOnline: Problem(409, "item-not-online"),
    errors.NotFiledHere: Problem(409, "not-filed-here"),
    errors.ItemIsJoint: Problem(409, "item-is-joint"),
    errors.ItemVersionOutdated: Problem(409, "item-version-outdated"),
    # RFC 9110, section 13.1.1
    errors.DraftChanged: Problem(412, "draft-changed"),
    # tus, PATCH: "If the offsets do not match, the Server MUST respond with 409"
    errors.UploadMoved: Problem(409, "upload-moved"),
    errors.TooManyUploads: Problem(409, "too-many-uploads"),
    errors.TooManyDrafts: Problem(409, "too-many-drafts"),
    errors.CaseAlreadyRated: Problem(409, "case-already-rated"),
    errors.CaseNotClosed: Problem(409, "case-not-closed"),
    errors.SignInRefused: Problem(401, "sign-in-refused"),
    # RFC 6585, section 4
    errors.TooManyAttempts: Problem(429, "too-many-attempts"),
    errors.SessionEnded: Problem(401, "session-ended"),
    errors.StepUpRequired: Problem(401, "step-up-required"),
    errors.SignInTooOld: Problem(403, "sign-in-too-old"),
    errors.UsernameTaken: Problem(409, "username-taken"),
    errors.SubscriptionNameTaken: Problem(409, "subscription-name-taken"),
    errors.SubscriptionEnded: Problem(409, "subscription-ended"),
    errors.TooManySubscriptions: Problem(409, "too-many-subscriptions"),
    errors.TooManyNewSubscriptions: Problem(409, "too-many-new-subscriptions"),
    errors.AgreementNeeded: Problem(403, "agreement-needed"),
    errors.ReplayUnderWay: Problem(409, "replay-under-way"),
    errors.ReplayTooSoon: Problem(409, "replay-too-soon"),
    errors.TooManyWaiting: Problem(409, "too-many-waiting"),
    errors.DeliveryNotFailed: Problem(409, "delivery-not-failed"),
    errors.WebhookTestUnderWay: Problem(409, "test-under-way"),
    errors.WebhookJustResumed: Problem(409, "just-resumed"),
    errors.ServiceUnavailable: Problem(503, "unavailable"),
    TokenRefused: Problem(401, "token-refused"),
    InsufficientScope: Problem(403, "insufficient-scope"),
    InternalError: INTERNAL,
}

PROBLEM_OF_STATUS: dict[int, Problem] = {
    400: UNREADABLE,
    404: PROBLEM_OF_ERROR[errors.NotFound],
    405: Problem(405, "method-not-allowed"),
    408: Problem(408, "fell-silent"),
    412: Problem(412, "protocol-version"),
    413: TOO_LARGE,
    414: ADDRESS_TOO_LONG,
    415: Problem(415, "unsupported-media-type"),
    # RFC 6585, section 3
    428: Problem(428, "precondition-required"),
    # tus, Checksum
    460: Problem(460, "checksum-mismatch"),
    431: HEADERS_TOO_LARGE,
}

# pydantic's name of a broken rule -> JSON Schema's, so that both kinds of input are worded by the same catalogue
_RULES = {
    "missing": ("required", None),
    "extra_forbidden": ("additionalProperties", None),
    "greater_than_equal": ("minimum", "ge"),
    "less_than_equal": ("maximum", "le"),
    "string_too_short": ("minLength", "min_length"),
    "string_too_long": ("maxLength", "max_length"),
    "too_short": ("minItems", "min_length"),
    "too_long": ("maxItems", "max_length"),
    "literal_error": ("enum", "expected"),
    "string_pattern_mismatch": ("pattern", "pattern"),
    "unstorable": ("characters", None),
    "date_from_datetime_parsing": ("format.date", None),
    "date_parsing": ("format.date", None),
    "date_type": ("format.date", None),
}


def problem_of(error: Exception) -> Problem:
    """By the class or its nearest ancestor in the table."""
    return next((PROBLEM_OF_ERROR[kind] for kind in type(error).__mro__ if kind in PROBLEM_OF_ERROR), INTERNAL)


def speak(request: Request) -> Catalogue:
    return CATALOGUES[preferred(request.headers.get("accept-language", ""))]


def respond(problem: Problem, say: Catalogue, headers: dict[str, str] | None = None, **extensions: Any) -> Response:
    body = {
        "type": f"urn:onehall:problem:{problem.name}",
        "title": say(f"problem.{problem.name}.title"),
        "status": problem.status,
        "detail": say(f"problem.{problem.name}.detail"),
        **extensions,
    }
    return Response(
        json.dumps(body, ensure_ascii=False),
        status_code=problem.status,
        media_type="application/problem+json",
        headers={"Content-Language": say.language, "Vary": "Accept-Language", **(headers or {})},
    )


def headers_of(error: Exception, problem: Problem) -> dict[str, str]:
    if problem.status == 503:
        return {"Retry-After": RETRY_AFTER}
    if isinstance(error, errors.TooManyAttempts):
        return {"Retry-After": str(error.args[0])}
    if isinstance(error, (TokenRefused, InsufficientScope)):
        return {"WWW-Authenticate": error.challenge}
    if isinstance(error, errors.CaseChanged) and len(error.args) > 1:
        return {"ETag": f'"{error.args[1]}"'}
    if isinstance(error, errors.StepUpRequired):
        # RFC 9470, section 3
        challenge = 'Bearer realm="onehall", error="insufficient_user_authentication"'
        return {"WWW-Authenticate": f'{challenge}, acr_values="{error.args[0]}"'}
    return {}


_EXTENSIONS: dict[type[Exception], tuple[tuple[str, int], ...]] = {
    errors.ActionNotAllowed: (("action", 0), ("case_status", 1)),
    errors.CaseChanged: (("version", 1),),
    errors.ItemVersionOutdated: (("item_version", 1),),
    errors.NotFiledHere: (("department", 1), ("region", 2), ("region_name", 3), ("halls", 4)),
    errors.DraftChanged: (("revision", 1),),
    errors.AgreementNeeded: (("departments", 0),),
    errors.ReplayTooSoon: (("seconds", 0),),
    errors.TooManyAttempts: (("seconds", 0),),
    errors.TooManyDrafts: (("limit", 0),),
    errors.UploadMoved: (("offset", 0),),
    errors.TooManyUploads: (("limit", 0),),
    errors.TooManySubscriptions: (("limit", 0),),
    errors.TooManyNewSubscriptions: (("limit", 0),),
    errors.TooManyWaiting: (("limit", 0),),
}
"""What of an error's arguments the problem tells besides: member, place."""


def extensions_of(error: Exception, say: Catalogue) -> dict[str, Any]:
    if isinstance(error, InvalidInput):
        return {"errors": worded(error.faults, say)}
    if isinstance(error, errors.StepUpRequired):
        return {"acr_values": str(error.args[0])}
    told = _EXTENSIONS.get(type(error), ())
    return {member: error.args[place] for member, place in told if place < len(error.args)}


def worded(faults: list[Fault], say: Catalogue) -> list[dict[str, str]]:
    return [{"pointer": fault["pointer"], "detail": sentence(fault, say)} for fault in faults]


def sentence(fault: Fault, say: Catalogue) -> str:
    value = _shown(fault.get("value"))
    keys = (f"rule.{fault['rule']}.{value}", f"rule.{fault['rule']}", "rule.other")
    return say(next(key for key in keys if key in say), value=value)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def worded_fault(fault: dict[str, Any], say: Catalogue) -> dict[str, str]:
    place, *path = fault["loc"]
    rule, value_name = _RULES.get(fault["type"], ("type", None))
    value = fault.get("ctx", {}).get(value_name) if value_name else None
    detail = sentence({"pointer": "", "rule": rule, "value": value}, say)
    if place == "body":
        return {"pointer": pointer(path), "detail": detail}
    return {"parameter": str(path[0]), "detail": detail}


def pointer(path: list[str | int]) -> str:
    """A JSON pointer (RFC 6901, section 3)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


SERVICE_ERRORS: tuple[type[Exception], ...] = (ServiceError, InternalError, TokenRefused, InsufficientScope)
