"""Rows of the outbox as messages of the broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pika
from pika.spec import PERSISTENT_DELIVERY_MODE

from contracts.envelope import CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class Row:
    """One event as it is published."""

    id: int
    event_id: str
    routing_key: str
    body: str
    created_at: datetime


def properties(event_id: str, headers: dict[str, str] | None = None) -> pika.BasicProperties:
    return pika.BasicProperties(
        content_type=CONTENT_TYPE, delivery_mode=PERSISTENT_DELIVERY_MODE, message_id=event_id, headers=headers
    )
