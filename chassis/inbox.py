"""The inbox: each event has one effect, in order per subject, whichever replica gets it and however often.

A cursor row a (source, subject) says how far that subject is handled. The handler's transaction locks it, so an
event already done is a duplicate, the next one runs, and a later one is parked until its predecessor is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import text

from chassis.database import Session
from contracts.envelope import Envelope

Handler = Callable[[Session, Envelope], None]


class Outcome(StrEnum):
    DONE = "done"
    DUPLICATE = "duplicate"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event, and the parked successor whose turn has come."""

    outcome: Outcome
    successor: Envelope | None = None


_BEGIN = text(
    "INSERT INTO inbox_cursor (source, subject, sequence) VALUES (:source, :subject, :sequence)"
    " ON CONFLICT DO NOTHING RETURNING sequence"
)
# DO UPDATE, not DO NOTHING: it takes the row's lock and returns the row, whether it was there or not
_LOCK = text(
    "INSERT INTO inbox_cursor AS cursor (source, subject, sequence) VALUES (:source, :subject, 0)"
    " ON CONFLICT (source, subject) DO UPDATE SET sequence = cursor.sequence RETURNING sequence"
)
# whoever parked the successor held the cursor's lock before us, so this sees it
_ADVANCE = text(
    "UPDATE inbox_cursor SET sequence = :sequence WHERE source = :source AND subject = :subject"
    " RETURNING (SELECT body FROM inbox_parked"
    " WHERE source = :source AND subject = :subject AND sequence = :sequence + 1)"
)
_PARK = text(
    "INSERT INTO inbox_parked (source, subject, sequence, body) VALUES (:source, :subject, :sequence, :body)"
    " ON CONFLICT DO NOTHING"
)
_READY = text(
    "SELECT parked.body FROM inbox_parked AS parked JOIN inbox_cursor AS cursor USING (source, subject)"
    " WHERE parked.sequence <= cursor.sequence + 1 ORDER BY parked.parked_at LIMIT :limit"
)
_UNPARK = text("DELETE FROM inbox_parked WHERE source = :source AND subject = :subject AND sequence = :sequence")
_COUNT = text("SELECT count(*) FROM inbox_parked")


def receive(session: Session, envelope: Envelope, handler: Handler) -> Receipt:
    """Run `handler` if it is this event's turn. Everything it does stands or falls with the cursor.

    An event that is alone, or a notice, has no turn, and a cursor each would never end: its handler knows it again by
    its subject, or by its id.
    """
    if envelope.data.is_alone or envelope.data.is_notice:
        handler(session, envelope)
        return Receipt(Outcome.DONE)
    key = _key(envelope)
    if envelope.sequence == 1 and session.execute(_BEGIN, key).first():
        # the first event made the cursor: whoever would park a successor waits for our commit, so none is parked
        handler(session, envelope)
        return Receipt(Outcome.DONE)
    done = session.execute(_LOCK, {"source": envelope.source, "subject": envelope.subject}).scalar_one()
    if envelope.sequence <= done:
        return Receipt(Outcome.DUPLICATE)
    if envelope.sequence > done + 1:
        session.execute(_PARK, key | {"body": envelope.to_json()})
        return Receipt(Outcome.PARKED)
    handler(session, envelope)
    successor = session.execute(_ADVANCE, key).scalar_one()
    return Receipt(Outcome.DONE, None if successor is None else Envelope.from_json(successor))


class PredecessorMissing(Exception):
    """Args: the subject, the sequence that is done. An event can be skipped only when it is the next one."""


def skip(session: Session, envelope: Envelope) -> Envelope | None:
    """Move the cursor past an event that nobody will handle; the parked successor whose turn has come."""
    done = session.execute(_LOCK, {"source": envelope.source, "subject": envelope.subject}).scalar_one()
    if envelope.sequence <= done:
        return None
    if envelope.sequence > done + 1:
        raise PredecessorMissing(envelope.subject, done)
    successor = session.execute(_ADVANCE, _key(envelope)).scalar_one()
    return None if successor is None else Envelope.from_json(successor)


def ready(session: Session, limit: int) -> list[Envelope]:
    """Parked events whose predecessor is done: left behind by a process that died before it sent them back."""
    return [Envelope.from_json(body) for body in session.execute(_READY, {"limit": limit}).scalars()]


def unpark(session: Session, envelope: Envelope) -> None:
    """Forget a parked event, once the broker has it again."""
    session.execute(_UNPARK, _key(envelope))


def count_parked(session: Session) -> int:
    return int(session.execute(_COUNT).scalar_one())


def _key(envelope: Envelope) -> dict[str, object]:
    return {"source": envelope.source, "subject": envelope.subject, "sequence": envelope.sequence}
