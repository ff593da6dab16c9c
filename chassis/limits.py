"""How often what may be tried. A rule is a bucket of `burst` tries that fills again by one each `refill`.

Buckets are one timestamp each, when they will be full again (the generic cell rate algorithm). A service that limits
has the table of `chassis.tables.create_rate_limits`; whom a bucket is about is kept as a hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from prometheus_client import Counter
from sqlalchemy import text

from chassis.database import Session

reached = Counter("onehall_limits_reached", "Tries that were refused because there were too many", ["rule"])


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` is in the metric, the table and the alert."""

    name: str
    burst: int
    refill: timedelta

    @property
    def seconds(self) -> int:
        """After so many there is one try more."""
        return max(1, int(self.refill.total_seconds()))

    def is_spent(self, full_at: datetime, now: datetime) -> bool:
        return full_at + self.refill > now + self.burst * self.refill


class Bucket(NamedTuple):
    rule: Rule
    key_hash: str


_IPV6_SUBSCRIBER = 64


def subscriber(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 out of which an IPv6 one takes a new address at will."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> _IPV6_SUBSCRIBER << _IPV6_SUBSCRIBER))


# a bucket with no try left is not changed, and so is not returned
_TAKE = text(
    """
    INSERT INTO rate_limits AS known (rule, key_hash, full_at)
    SELECT rule, key_hash, CAST(:now AS timestamptz) + refill
    FROM unnest(CAST(:rules AS text[]), CAST(:keys AS text[]), CAST(:refills AS interval[]), CAST(:bursts AS int[]))
        AS asked (rule, key_hash, refill, burst)
    ON CONFLICT (rule, key_hash) DO UPDATE
    SET full_at = greatest(known.full_at, CAST(:now AS timestamptz)) + (EXCLUDED.full_at - CAST(:now AS timestamptz))
    WHERE greatest(known.full_at, CAST(:now AS timestamptz)) + (EXCLUDED.full_at - CAST(:now AS timestamptz))
        <= CAST(:now AS timestamptz) + (EXCLUDED.full_at - CAST(:now AS timestamptz)) * (
            SELECT max(burst) FROM unnest(CAST(:rules AS text[]), CAST(:bursts AS int[])) AS limits (rule, burst)
            WHERE limits.rule = EXCLUDED.rule
        )
    RETURNING rule, key_hash
    """
)

_PUT_BACK = text(
    """
    UPDATE rate_limits SET full_at = full_at - refill
    FROM unnest(CAST(:rules AS text[]), CAST(:keys AS text[]), CAST(:refills AS interval[]))
        AS given (rule, key_hash, refill)
    WHERE rate_limits.rule = given.rule AND rate_limits.key_hash = given.key_hash
    """
)

# those that somebody has in hand are left for the next time: in whose order they are locked is not said
_REMOVE_FULL = text(
    "DELETE FROM rate_limits WHERE ctid IN (SELECT ctid FROM rate_limits WHERE full_at <= :now FOR UPDATE SKIP LOCKED)"
)


def take(session: Session, buckets: Iterable[Bucket], now: datetime) -> frozenset[Rule]:
    """Take a try out of each, in one statement; the rules of those that had none left.

    Whoever takes before looking at a guess cannot be outrun: guesses sent at once are counted one after the other.
    """
    # in one order, so that two who take from the same ones never wait for each other
    asked = sorted(buckets, key=lambda bucket: (bucket.rule.name, bucket.key_hash))
    values = _columns(asked) | {"bursts": [bucket.rule.burst for bucket in asked], "now": now}
    taken = {row.rule for row in session.execute(_TAKE, values)} if asked else set()
    return frozenset(bucket.rule for bucket in asked if bucket.rule.name not in taken)


def put_back(session: Session, buckets: Iterable[Bucket]) -> None:
    """It was no guess after all."""
    given = sorted(buckets, key=lambda bucket: (bucket.rule.name, bucket.key_hash))
    if given:
        session.execute(_PUT_BACK, _columns(given))


def remove_full(session: Session, now: datetime) -> None:
    session.execute(_REMOVE_FULL, {"now": now})


def _columns(buckets: list[Bucket]) -> dict[str, list[object]]:
    return {
        "rules": [bucket.rule.name for bucket in buckets],
        "keys": [bucket.key_hash for bucket in buckets],
        "refills": [bucket.rule.refill for bucket in buckets],
    }
