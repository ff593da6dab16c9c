"""What the gateway counts: requests at the door, and the calls that it makes of them."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

requests = Counter("onehall_http_requests", "Requests at the door", ["method", "route", "status"])
request_seconds = Histogram("onehall_http_request_seconds", "Duration of a request", ["route"], buckets=_SECONDS)

rpc_calls = Counter("onehall_rpc_calls", "Calls of services", ["service", "method", "transport", "outcome"])
rpc_seconds = Histogram(
    "onehall_rpc_seconds", "Duration of a call", ["service", "method", "transport"], buckets=_SECONDS
)
files_checked = Counter("onehall_files_checked", "Files that were handed in and looked at", ["outcome"])
