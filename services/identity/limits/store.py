"""Buckets of identity's rules: what is left of them, and those that say no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, tuple_

from chassis.database import Session
from chassis.limits import Bucket, Rule, put_back, remove_full, take
from services.identity.limits.domain import RULES
from services.identity.limits.tables import rate_limits

__all__ = ["Bucket", "put_back", "remove_full", "spent", "take"]

_RULE_OF_NAME = {rule.name: rule for rule in RULES}


def spent(session: Session, buckets: Iterable[Bucket], now: datetime) -> frozenset[Rule]:
    """The rules of those that have no try left. Takes none."""
    keys = [(bucket.rule.name, bucket.key_hash) for bucket in buckets]
    limit = rate_limits.c
    found = select(limit.rule, limit.full_at).where(tuple_(limit.rule, limit.key_hash).in_(keys), limit.full_at > now)
    rows = session.execute(found) if keys else ()
    return frozenset(_RULE_OF_NAME[row.rule] for row in rows if _RULE_OF_NAME[row.rule].is_spent(row.full_at, now))
