"""The subscriptions that are rows in the publisher's database, as queues of the broker."""

from __future__ import annotations

from sqlalchemy import text

from chassis.database import Session
from contracts import topology

_STANDING = text("SELECT owner, name, patterns FROM subscriptions WHERE removed_at IS NULL ORDER BY created_at")


def queues(session: Session) -> list[topology.Queue]:
    return [topology.subscription_queue(*row) for row in session.execute(_STANDING)]
