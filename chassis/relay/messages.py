"""Rows of the outbox as the relay sends them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Row(NamedTuple):
    """One event. `event_id` is a UUID as text; `other_keys` those under which it is heard besides its own."""

    id: int
    event_id: str
    routing_key: str
    body: str
    created_at: datetime
    other_keys: list[str] | None = None
