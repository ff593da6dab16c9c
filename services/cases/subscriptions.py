"""Subscriptions to the events of cases: who may hear what, and the rows that the relay makes queues of."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import text

from chassis import replays
from chassis.database import Session
from contracts import topology
from contracts.filters import EventFilter

_ADD = text(
    "INSERT INTO subscriptions (owner, name, filter, patterns, delivery, start, created_at, created_by)"
    " VALUES (:owner, :name, :filter, :patterns, :delivery, :start, :now, :created_by)"
    " ON CONFLICT DO NOTHING RETURNING id::text"
)


def add(session: Session, owner: str, name: str, wanted: EventFilter, created_by: str, now: datetime) -> None:
    """Let `owner` hear what is new from now on; nothing happens if the name is taken."""
    values = {"owner": owner, "name": name, "filter": json.dumps(asdict(wanted)), "patterns": list(wanted.patterns)}
    terms = {"delivery": "amqp", "start": "now", "now": now, "created_by": created_by}
    if session.execute(_ADD, {**values, **terms}).first():
        queue = topology.subscription_queue(owner, name, wanted.patterns)
        replays.go_live(session, queue, replays.last_position(session), "new subscription")
