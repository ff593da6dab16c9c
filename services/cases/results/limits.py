"""How often codes may be tried, and one document taken."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from chassis import context
from chassis.limits import Bucket, Rule, reached, subscriber
from chassis.sealing import derive
from contracts.errors import TooManyAttempts

VERIFY_ADDRESS: Final = Rule("verify-address", 60, timedelta(seconds=10))
"""Wrong codes from one address. A right one costs nothing: who checks papers all day long is not kept from it."""

RESULT_DOWNLOAD: Final = Rule("result-download", 30, timedelta(minutes=1))
"""One document, by one person: each is a line that its holder reads."""


class ResultKeys:
    """Under ONEHALL_CASES_KEY: whom a bucket is about is kept as a keyed hash."""

    def __init__(self, key: str) -> None:
        self._key = derive(key, "onehall.cases.results.limits")

    def of_address(self) -> list[Bucket]:
        """The bucket of the caller's address; none for a call that did not come through the door."""
        address = context.address.get()
        return [self._bucket(VERIFY_ADDRESS, subscriber(address))] if address else []

    def of_download(self, result: str, hand: str) -> Bucket:
        return self._bucket(RESULT_DOWNLOAD, f"{result}\0{hand}")

    def _bucket(self, rule: Rule, who: str) -> Bucket:
        return Bucket(rule, hmac.digest(self._key, who.encode("utf-8", "surrogatepass"), "sha256").hex())


def too_many(refused: Collection[Rule]) -> TooManyAttempts:
    """Counted for the alert, and ready to be raised."""
    for rule in refused:
        reached.labels(rule.name).inc()
    return TooManyAttempts(max(rule.seconds for rule in refused))
