"""What is older than the years that the log is kept for is cut off its beginning, and the rest stays verifiable.

A segment a transaction: it is walked as `verify` does, its last hash becomes a sealed row, and its entries go. What was
tampered with is never cut, for it would take the proof away.
"""

from __future__ import annotations

import logging
from datetime import datetime

from chassis.database import Database, Session
from services.identity import metrics
from services.identity.access_log import cuts, store
from services.identity.access_log.cuts import CutNotSealed
from services.identity.access_log.domain import FIRST, Cut, Link, kept_since
from services.identity.access_log.sealing import EndNotSealed, fault_of, load_end
from services.identity.sealing import Seal

log = logging.getLogger(__name__)

SEGMENT = 10_000
"""Entries at a time: nobody waits for them, and a second's work is lost if it is stopped."""
BATCH = 1_000


class ChainBroken(Exception):
    """What would be cut is not whole. Args: where."""


def prune(database: Database, seal: Seal, years: int, now: datetime) -> int:
    """How many entries went. Done again it does nothing; of several replicas at once one does it."""
    before, count = kept_since(now, years), 0
    try:
        while True:
            with database.transaction() as session:
                done = _cut_segment(session, seal, before, now)
            if not done:
                break
            count += done
            metrics.access_log_pruned.inc(done)
    except (ChainBroken, CutNotSealed, EndNotSealed) as error:
        metrics.access_log_prune_failed.set(1)
        log.error("nothing is cut off the access log: %s; see docs/operations.md", error)  # noqa: TRY400
        return count
    metrics.access_log_prune_failed.set(0)
    return count


def _cut_segment(session: Session, seal: Seal, before: datetime, now: datetime) -> int:
    if not store.try_lock_cuts(session):
        return 0
    previous = cuts.load_last(session, seal)
    start = previous.last if previous else FIRST
    last = _walk(session, start, load_end(session, seal), before)
    if last == start:
        return 0
    cuts.save(session, seal, Cut.after(previous, last, before, now))
    return last.position - start.position


def _walk(session: Session, link: Link, end: Link, before: datetime) -> Link:
    """As far as it is old enough. One that came late, and stands behind younger ones, goes with those."""
    until = min(link.position + SEGMENT, end.position)
    while link.position < until:
        rows = store.load_sealed(session, link.position, min(BATCH, until - link.position))
        for stored, entry in rows:
            if entry.at >= before:
                return link
            following = link.followed_by(entry)
            if (fault := fault_of(stored, following)) is not None:
                raise ChainBroken(fault)
            link = following
        if not rows:
            raise ChainBroken(f"entry {link.position + 1} is missing")
    return link
