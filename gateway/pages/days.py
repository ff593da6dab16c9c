"""Days out of moments that a service gave."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def last_day(until: str, zone: ZoneInfo) -> str:
    """The last day of what ends at a midnight: that of the moment before it."""
    last = datetime.fromisoformat(until).astimezone(zone) - datetime.resolution
    return last.date().isoformat()
