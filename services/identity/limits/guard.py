"""What the rest of identity limits by: the buckets of a rule, and the one error."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime

from chassis import context, limits
from chassis.database import Session
from chassis.limits import Bucket, Rule, subscriber
from chassis.sealing import derive
from contracts.errors import TooManyAttempts
from services.identity.limits import store


class LimitKeys:
    """Names and addresses are kept as keyed hashes. When the key changes, all buckets are full again."""

    def __init__(self, cookie_key: str) -> None:
        self._key = derive(cookie_key, "onehall.identity.limits")

    def bucket(self, rule: Rule, *who: str) -> Bucket:
        said = "\0".join(who).encode("utf-8", "surrogatepass")
        return Bucket(rule, hmac.digest(self._key, said, "sha256").hex())

    def of_address(self, rule: Rule, *who: str) -> list[Bucket]:
        """The bucket of the caller's address; none for a call that did not come through the door."""
        address = context.address.get()
        return [self.bucket(rule, subscriber(address), *who)] if address else []


def require_tries(session: Session, buckets: Iterable[Bucket], now: datetime) -> None:
    """Take one of each, or raise `TooManyAttempts`. Say so before anything that depends on who or what was named."""
    refused = store.take(session, buckets, now)
    if refused:
        raise too_many(refused)


def too_many(refused: Iterable[Rule]) -> TooManyAttempts:
    count(refused)
    return TooManyAttempts(max(rule.seconds for rule in refused))


def count(refused: Iterable[Rule]) -> None:
    for rule in refused:
        limits.reached.labels(rule.name).inc()
