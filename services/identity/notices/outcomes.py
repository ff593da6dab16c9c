"""What becomes of a notice by how one attempt went."""

from __future__ import annotations

import random
from datetime import timedelta

from chassis.webhooks import rules
from chassis.webhooks.rules import Result
from services.identity.sessions.domain import GIVEN_UP

DELIVERED, REFUSED, RETRIED = "delivered", "refused", "retried"
FINAL = (DELIVERED, REFUSED, GIVEN_UP)

# section 2.8: "If the logout succeeded, the RP MUST respond with HTTP 200 OK"; some frameworks make 204 of it
_DONE = (200, 204)
_BAD_REQUEST = 400


def outcome(result: Result, attempts: int) -> str:
    """By attempt number `attempts` (from 1)."""
    if result.status_code in _DONE:
        return DELIVERED
    if result.status_code == _BAD_REQUEST:
        # section 2.8: "if the Logout Token is invalid or the logout failed": the next one would say the same
        return REFUSED
    return RETRIED if attempts <= len(rules.DELAYS) else GIVEN_UP


def pause(result: Result, attempts: int) -> timedelta:
    """Until the next attempt: as webhooks do, and as long as the client asks for, up to an hour."""
    asked = timedelta(seconds=min(result.retry_after or 0, rules.LONGEST_RETRY_AFTER))
    return max(rules.delay(attempts, random.random()), asked)  # noqa: S311 jitter
