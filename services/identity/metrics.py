"""Metrics of identity beside those of every service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

broker_connections_closed = Counter(
    "onehall_broker_connections_closed", "Subscribers' connections that were closed", ["reason"]
)
broker_watched = Gauge("onehall_broker_watched_timestamp", "When the subscribers' connections were last looked at")
sessions_ended = Counter("onehall_sessions_ended", "Sessions of browsers that ended", ["reason"])
access_log_unsealed = Gauge("onehall_access_log_unsealed", "Entries of the access log that wait for their seal")
access_log_seal_failed = Gauge(
    "onehall_access_log_seal_failed", "1 while nothing is sealed, because the sealed end of the access log is not there"
)
access_log_pruned = Counter("onehall_access_log_pruned", "Entries of the access log that were cut off, being too old")
access_log_prune_failed = Gauge(
    "onehall_access_log_prune_failed", "1 while nothing is cut off, because what would go is not whole"
)
access_log_broken = Gauge("onehall_access_log_broken", "1 if the chain was not whole when it was last walked")
look_reports_open = Gauge("onehall_look_reports_open", "Reports of looks that wait for an auditor")
look_reports_late = Gauge("onehall_look_reports_late", "Those of them whose time is over")
logout_notices = Counter("onehall_logout_notices", "Attempts to tell a client of the end of a session", ["outcome"])
logout_notices_waiting = Gauge("onehall_logout_notices_waiting", "Ends of sessions that a client was not told of yet")
logout_notice_oldest_seconds = Gauge("onehall_logout_notice_oldest_seconds", "Age of the oldest of them")
