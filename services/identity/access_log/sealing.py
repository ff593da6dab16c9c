"""The chain: new entries are sealed in order by one at a time, and `verify` walks it.

Its end is kept encrypted and authenticated (`Seal`), so that whoever can write to the database but has not the key
cannot make a shorter or another chain end well.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from chassis.database import Database, Session
from services.identity import metrics
from services.identity.access_log import cuts, store
from services.identity.access_log.cuts import CutNotSealed
from services.identity.access_log.domain import FIRST, Cut, Link
from services.identity.sealing import Seal, SealedOtherwise

log = logging.getLogger(__name__)

PURPOSE = "access-log"
BATCH = 1_000


class EndNotSealed(Exception):
    """The sealed end is missing though entries are sealed, or it does not open. Args: which."""


def seal_new_entries(database: Database, seal: Seal) -> int:
    """How many. Without a sealed end to go on from nothing is sealed: it would hide what was done to the chain."""
    count = 0
    try:
        while True:
            with database.transaction() as session:
                done = _seal_batch(session, seal)
                metrics.access_log_unsealed.set(store.count_unsealed(session))
            count += done
            if done < BATCH:
                break
    except EndNotSealed as error:
        metrics.access_log_seal_failed.set(1)
        log.error("the access log is not sealed: %s; see docs/operations.md", error)  # noqa: TRY400
        return count
    metrics.access_log_seal_failed.set(0)
    return count


def _seal_batch(session: Session, seal: Seal) -> int:
    new = store.load_unsealed(session, 1)
    if not new or not store.try_lock(session):
        return 0
    # read again: another may have sealed them before we had the lock
    new = store.load_unsealed(session, BATCH)
    link, links = load_end(session, seal), []
    for entry in new:
        link = link.followed_by(entry)
        links.append(link)
    if links:
        store.save_links(session, [entry.id for entry in new], links)
        save_end(session, seal, link)
    return len(new)


def load_end(session: Session, seal: Seal) -> Link:
    """The last link. Raise `EndNotSealed`."""
    sealed, last = store.load_head(session)
    return _opened(seal, sealed, last)


def save_end(session: Session, seal: Seal, link: Link) -> None:
    store.save_head(session, seal.close(json.dumps([link.position, link.hash.hex()]).encode()))


def _opened(seal: Seal, sealed: bytes | None, last: int) -> Link:
    if sealed is None:
        if last:
            raise EndNotSealed("the sealed end is missing")
        return FIRST
    try:
        position, digest = json.loads(seal.open(sealed))
    except SealedOtherwise as error:
        raise EndNotSealed("the sealed end does not open: it was altered, or sealed with another key") from error
    return Link(position, bytes.fromhex(digest))


@dataclass(frozen=True, slots=True)
class Report:
    """`fault` is the first place where the chain is broken. `end` is how far it is whole.

    `cut` is the last one of those by which the beginning is no longer kept.
    """

    end: Link
    unsealed: int
    fault: str | None = None
    cut: Cut | None = None


def verify(database: Database, seal: Seal, known: Link | None = None) -> Report:
    """Walk the whole chain, batch by batch, while entries are added to it and cut off its beginning.

    `known` is an end that an earlier report gave: the chain must still hold it. Only that finds a chain that was cut
    back to an older end together with the end itself. Of one that is cut off by now nothing can be said.
    """
    link, cut, fault, is_last, unsealed = FIRST, None, None, False, 0
    while not is_last:
        with database.transaction() as session:
            fault, is_last, following = _walk(session, seal, link, known)
            # read behind the entries: this covers what is not there any more
            newest = store.load_newest_cut(session)
            if newest is not None and newest[0].last.position > link.position:
                fault, is_last, cut = _check_cuts(session, seal)
                following = cut.last if cut else link
            link = following
            unsealed = store.count_unsealed(session) if is_last else 0
    if fault is None and known is not None and known.position > link.position:
        fault = f"entries {link.position + 1} to {known.position}, which were there before, are missing at the end"
    return Report(link, unsealed, fault, cut)


def _check_cuts(session: Session, seal: Seal) -> tuple[str | None, bool, Cut | None]:
    try:
        return None, False, cuts.check_all(session, seal)
    except CutNotSealed as error:
        return str(error), True, None


def _walk(session: Session, seal: Seal, link: Link, known: Link | None) -> tuple[str | None, bool, Link]:
    """One batch: what is wrong, whether it was the last one, and the link that is good."""
    sealed, last = store.load_head(session)
    try:
        end = _opened(seal, sealed, last)
    except EndNotSealed as error:
        return str(error), True, link
    if last > end.position:
        return f"entry {end.position + 1} stands behind the sealed end", True, link
    rows = store.load_sealed(session, link.position, BATCH)
    # what was sealed since the end was read is left to the next batch
    for stored, entry in ((stored, entry) for stored, entry in rows if stored.position <= end.position):
        following = link.followed_by(entry)
        if (fault := fault_of(stored, following) or _fault_of_known(stored, known)) is not None:
            return fault, True, link
        link = following
    if rows and link.position < end.position:
        return None, False, link
    return _fault_at_end(link, end), True, link


def fault_of(stored: Link, expected: Link) -> str | None:
    """Of a place in the chain, against what the entry there and all before it come to."""
    if stored.position != expected.position:
        return f"entry {expected.position} is missing"
    if stored.hash != expected.hash:
        return f"entry {stored.position} was altered, or is not the one that was there"
    return None


def _fault_of_known(stored: Link, known: Link | None) -> str | None:
    if known is not None and stored.position == known.position and stored.hash != known.hash:
        return f"entry {stored.position} is not the one that was there before"
    return None


def _fault_at_end(link: Link, end: Link) -> str | None:
    if link.position < end.position:
        return f"entries {link.position + 1} to {end.position} are missing at the end"
    return None if link.hash == end.hash else f"entry {link.position} is not the one that was sealed as the end"
