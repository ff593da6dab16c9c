"""What notify counts besides the chassis's own metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

deliveries = Counter("onehall_deliveries", "Attempts to deliver, by what became of them", ["channel", "outcome"])
escalations_untold = Counter(
    "onehall_escalations_untold", "Attempts to tell of an escalation that found nobody, not even an operator"
)
deliveries_pending = Gauge("onehall_deliveries_pending", "Deliveries that wait for an attempt")
deliveries_oldest_seconds = Gauge("onehall_deliveries_oldest_seconds", "Age of the oldest pending delivery")
