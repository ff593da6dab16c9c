"""When a delivery is tried again, when it is given up, and when an endpoint rests. No clock, no chance, no database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

DELAYS = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
"""Seconds before the second and each further attempt: 24 hours in all, less eleven minutes."""

JITTER = 0.1
"""A delay is longer or shorter by up to this part, so that what failed together is not tried again together."""

LONGEST_RETRY_AFTER = 3600.0
"""Seconds that an endpoint may ask us to stay away."""

MOST_FAILURES = 5
"""Consecutive failures after which an endpoint rests."""

FIRST_REST = 10.0
LONGEST_REST = 300.0
"""Seconds. Each probe that fails doubles the rest."""

RESOLVER_BUSY = "resolver-busy"
"""The word for an attempt that ended before the endpoint was looked for: that is no failure of its own."""

DELIVERED, RETRIED, FAILED, GONE = "delivered", "retried", "failed", "gone"


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt went: a status code, or the word for why there was none. `retry_after` is in seconds."""

    at: datetime
    milliseconds: int
    status_code: int | None = None
    error: str | None = None
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        # RFC 9110, section 15.5.11: the owner asks for no more requests
        return self.status_code == 410


def outcome(result: Result, attempts: int) -> str:
    """What becomes of a delivery by its attempt number `attempts` (from 1)."""
    if result.is_success:
        return DELIVERED
    if result.is_gone:
        return GONE
    return RETRIED if attempts <= len(DELAYS) else FAILED


def delay(attempts: int, chance: float) -> timedelta:
    """After so many attempts (from 1), with `chance` from 0 to 1."""
    return timedelta(seconds=DELAYS[attempts - 1] * (1 + JITTER * (2 * chance - 1)))


@dataclass(frozen=True, slots=True)
class Breaker:
    """An endpoint's: how many attempts failed in a row, and until when it is left alone."""

    failures: int = 0
    rests_until: datetime | None = None

    def after(self, result: Result, now: datetime) -> Breaker:
        if result.is_success:
            return Breaker()
        if self.is_resting(now) or result.error == RESOLVER_BUSY:
            # what was under way when it began to rest says nothing new, nor what was not sent
            return self
        failed = replace(self, failures=self.failures + 1)
        rest = max(failed._rest(), min(result.retry_after or 0, LONGEST_RETRY_AFTER))
        return replace(failed, rests_until=now + timedelta(seconds=rest) if rest else None)

    def is_resting(self, now: datetime) -> bool:
        return self.rests_until is not None and now < self.rests_until

    def places(self, now: datetime, most: int) -> int:
        """How many requests it may have under way: none at rest, one while its last attempt was a failure."""
        if self.is_resting(now):
            return 0
        return 1 if self.failures else most

    def _rest(self) -> float:
        over = self.failures - MOST_FAILURES
        return 0 if over < 0 else min(FIRST_REST * 2.0 ** min(over, 10), LONGEST_REST)
