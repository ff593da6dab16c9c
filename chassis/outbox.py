"""The outbox: a command adds the event in the transaction that makes the fact; the relay publishes it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import text

from chassis import context
from chassis.database import Session
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.events import Event

_INSERT = text(
    "INSERT INTO outbox (event_id, subject, sequence, routing_key, other_keys, body)"
    " VALUES (:event_id, :subject, :sequence, :routing_key, CAST(:other_keys AS text[]), :body)"
)


def add(session: Session, event: Event, *, sequence: int, actor: Actor, other_keys: Sequence[str] = ()) -> None:
    """Add one event. The row that counts `sequence` must be locked (or new) by now.

    That lock makes the order of outbox ids the order of each subject. `other_keys` are routing keys under which the
    same message is heard besides its own: a queue that is bound to several of them gets it once.
    """
    envelope = Envelope(
        id=str(uuid.uuid4()),
        sequence=sequence,
        time=datetime.now(UTC),
        channel=actor.channel,
        actor=actor.role,
        data=event,
        traceparent=context.traceparent.get(),
        correlationid=context.correlation_id.get(),
    )
    session.execute(
        _INSERT,
        {
            "event_id": envelope.id,
            "subject": envelope.subject,
            "sequence": sequence,
            "routing_key": event.routing_key,
            "other_keys": list(other_keys) or None,
            "body": envelope.to_json(),
        },
    )
