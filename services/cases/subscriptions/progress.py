"""What the relay knows of subscriptions' queues: what it has to send from the history, and what waits in them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Column, DateTime, MetaData, Table, Text, Uuid, exists, select

from chassis.database import Session
from services.cases.subscriptions.domain import Subscription

metadata = MetaData()

replays = Table(
    "replays",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("queue", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("is_repeat", Boolean, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
)
queue_positions = Table(
    "queue_positions",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("waiting", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Replay:
    """`position` is how far it has come; it goes on to `until`, or until it has caught up with what is new."""

    id: str
    queue: str
    position: int
    until: int | None
    is_repeat: bool
    requested_at: datetime
    finished_at: datetime | None


_REPLAY = tuple(replays.c[field.name] for field in fields(Replay))


def open_replays(session: Session, queues: list[str]) -> list[Replay]:
    statement = select(*_REPLAY).where(replays.c.queue.in_(queues), replays.c.finished_at.is_(None))
    return [Replay(*row) for row in session.execute(statement)]


def was_repeated(session: Session, queue: str, since: datetime) -> bool:
    """Whether a range was asked for since then."""
    of_queue = exists().where(replays.c.queue == queue, replays.c.is_repeat, replays.c.requested_at > since)
    return bool(session.execute(select(of_queue)).scalar_one())


def load_replay(session: Session, replay: str) -> Replay:
    return Replay(*session.execute(select(*_REPLAY).where(replays.c.id == replay)).one())


def list_replays(session: Session, subscription: Subscription, before: datetime | None, limit: int) -> list[Replay]:
    """The newest first. An earlier subscription may have had the same name, and with it the same queue."""
    statement = select(*_REPLAY).where(
        replays.c.queue == subscription.queue.name, replays.c.requested_at >= subscription.created_at
    )
    if before is not None:
        statement = statement.where(replays.c.requested_at < before)
    rows = session.execute(statement.order_by(replays.c.requested_at.desc()).limit(limit))
    return [Replay(*row) for row in rows]


def count_waiting(session: Session, queues: list[str]) -> dict[str, int]:
    """Queue -> messages in it when the relay last looked."""
    statement = select(queue_positions.c.queue, queue_positions.c.waiting).where(queue_positions.c.queue.in_(queues))
    return {row.queue: row.waiting for row in session.execute(statement)}
