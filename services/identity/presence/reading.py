"""How many numbers that are nobody's a clerk has read, whatever for: the answers would tell whose a number is."""

from __future__ import annotations

from datetime import datetime

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import TooManyAttempts
from services.identity.device import store
from services.identity.device.domain import TRIES_WINDOW
from services.identity.presence.domain import MOST_UNKNOWN


def count_unknown(session: Session, clerk: Actor, now: datetime) -> None:
    """As an unknown one until it is known better. The caller commits also when nobody has it.

    The row stays locked, so that those sent at once are counted one by one. Raise `TooManyAttempts`.
    """
    if store.count_wrong(session, _key(clerk), now) > MOST_UNKNOWN:
        raise TooManyAttempts(int(TRIES_WINDOW.total_seconds()))


def uncount_unknown(session: Session, clerk: Actor) -> None:
    """It was somebody's after all."""
    store.uncount_wrong(session, _key(clerk))


def _key(clerk: Actor) -> str:
    return f"presence:{clerk.subject}"
