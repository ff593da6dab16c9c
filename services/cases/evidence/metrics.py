"""How far departments and organisations lag behind with evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from prometheus_client import Gauge

evidence_overdue = Gauge("onehall_evidence_overdue", "requests for evidence that were not answered in time", ["source"])
evidence_oldest_seconds = Gauge(
    "onehall_evidence_oldest_seconds", "since when the oldest request that was not answered waits", ["source"]
)


def show(rows: Iterable[Any], now: datetime) -> None:
    """Of each source that has not answered (`store.measure`); the others have none."""
    evidence_overdue.clear()
    evidence_oldest_seconds.clear()
    for row in rows:
        evidence_overdue.labels(row.source).set(row.overdue)
        evidence_oldest_seconds.labels(row.source).set((now - row.oldest).total_seconds())
