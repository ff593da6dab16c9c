"""Buckets as one timestamp each, when they will be full again (the generic cell rate algorithm)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, text, tuple_

from chassis.database import Session
from services.identity.limits.domain import RULES, Rule
from services.identity.limits.tables import rate_limits

_RULE_OF_NAME = {rule.name: rule for rule in RULES}


class Bucket(NamedTuple):
    rule: Rule
    key_hash: str


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


def spent(session: Session, buckets: Iterable[Bucket], now: datetime) -> frozenset[Rule]:
    """The rules of those that have no try left. Takes none."""
    keys = [(bucket.rule.name, bucket.key_hash) for bucket in buckets]
    limit = rate_limits.c
    found = select(limit.rule, limit.full_at).where(tuple_(limit.rule, limit.key_hash).in_(keys), limit.full_at > now)
    rows = session.execute(found) if keys else ()
    return frozenset(_RULE_OF_NAME[row.rule] for row in rows if _RULE_OF_NAME[row.rule].is_spent(row.full_at, now))


def remove_full(session: Session, now: datetime) -> None:
    session.execute(delete(rate_limits).where(rate_limits.c.full_at <= now))


def _columns(buckets: list[Bucket]) -> dict[str, list[object]]:
    return {
        "rules": [bucket.rule.name for bucket in buckets],
        "keys": [bucket.key_hash for bucket in buckets],
        "refills": [bucket.rule.refill for bucket in buckets],
    }
