"""What was cut off the beginning of the chain, as it is kept: each cut sealed, and chained to the one before.

So whoever can write to the database but has not the key cannot take a beginning away and call it a cut.
"""

from __future__ import annotations

from chassis.database import Session
from services.identity.access_log import store
from services.identity.access_log.domain import Cut
from services.identity.sealing import Seal, SealedOtherwise


class CutNotSealed(Exception):
    """A cut is missing, was altered, or is not ours. Args: which."""


def place_of(number: int) -> bytes:
    """Where a cut's seal is kept; it opens nowhere else."""
    return f"cut {number}".encode()


def save(session: Session, seal: Seal, cut: Cut) -> None:
    store.cut_off(session, cut, seal.close(cut.digest, place_of(cut.number)))


def load_last(session: Session, seal: Seal) -> Cut | None:
    """The last one. Raise `CutNotSealed`."""
    newest = store.load_newest_cut(session)
    if newest is None:
        return None
    _require_sealed(seal, *newest)
    return newest[0]


def check_all(session: Session, seal: Seal) -> Cut | None:
    """The last one, if each follows the one before. Raise `CutNotSealed`."""
    previous: Cut | None = None
    for cut, sealed in store.load_cuts(session):
        if cut != Cut.after(previous, cut.last, cut.before, cut.cut_at):
            raise CutNotSealed(f"cut {cut.number} was altered, or the one before it is missing")
        _require_sealed(seal, cut, sealed)
        previous = cut
    return previous


def _require_sealed(seal: Seal, cut: Cut, sealed: bytes) -> None:
    try:
        digest = seal.open(sealed, place_of(cut.number))
    except SealedOtherwise as error:
        raise CutNotSealed(f"cut {cut.number} was not made by us, or was sealed with another key") from error
    if digest != cut.digest:
        raise CutNotSealed(f"cut {cut.number} was altered")
