"""Asking the relay to send a part of the event history again, to one queue.

The request is a row in the publisher's database, so it stands or falls with the transaction that makes it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from chassis.database import Session
from chassis.history import LAST_POSITION
from contracts import topology

_ADD = text(
    "INSERT INTO replays (queue, position, until, is_repeat, reason)"
    " VALUES (:queue, :position, :until, :is_repeat, :reason) RETURNING id::text"
)
_LAST = text(LAST_POSITION)
_DROPPED = text("SELECT dropped FROM history")
_BEFORE = text("SELECT min(position) - 1 FROM outbox WHERE created_at >= :time AND position IS NOT NULL")
_WAKE = text("SELECT pg_notify('replays', '')")


def go_live(session: Session, queue: topology.Queue, after: int, reason: str) -> str:
    """Send `queue` everything from behind the position `after`, then let it hear what is new, without gap or double.

    Until that is done the queue is bound to nothing. The id of the replay.
    """
    return _add(session, queue, after, None, reason)


def repeat(session: Session, queue: topology.Queue, after: int, until: int, reason: str) -> str:
    """Send `queue` once more what lies behind `after` up to `until`, beside what is new. The id of the replay.

    Each message carries that id in the header `onehall-replay`: it was asked for and is no double.
    """
    return _add(session, queue, after, until, reason)


def last_position(session: Session) -> int:
    """The position of the last event that the broker has confirmed; 0 before the first."""
    return int(session.execute(_LAST).scalar_one())


def kept_from(session: Session) -> int:
    """The position up to which the history is dropped; 0 if none is."""
    return int(session.execute(_DROPPED).scalar_one())


def position_before(session: Session, time: datetime) -> int:
    """The position of the last event that was saved before `time`."""
    position: int | None = session.execute(_BEFORE, {"time": time}).scalar_one()
    return last_position(session) if position is None else position


def _add(session: Session, queue: topology.Queue, after: int, until: int | None, reason: str) -> str:
    values = {"queue": queue.name, "position": after, "until": until, "is_repeat": until is not None, "reason": reason}
    replay: str = session.execute(_ADD, values).scalar_one()
    wake(session)
    return replay


def wake(session: Session) -> None:
    """Let the relay look at its replays and subscriptions when the transaction is done."""
    session.execute(_WAKE)
