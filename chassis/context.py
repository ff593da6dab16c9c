"""What belongs to the request in hand: its correlation id, its W3C trace context, and where it came from.

Context variables, so each asyncio task and each greenlet has its own.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
address: ContextVar[str | None] = ContextVar("address", default=None)
"""The network address of whoever asked at the door; it limits guessing, and is neither logged nor kept."""

# W3C Trace Context, section 3.2: version 00, no all-zero ids
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def enter(correlation: object, trace: object, caller: object = None) -> None:
    """Take over a caller's context; what is absent or malformed begins anew."""
    address.set(caller if isinstance(caller, str) and caller else None)
    correlation_id.set(correlation if isinstance(correlation, str) and correlation else secrets.token_hex(16))
    traceparent.set(next_traceparent(trace))


def next_traceparent(parent: object) -> str:
    """A span of our own in the caller's trace, or the start of one."""
    if isinstance(parent, str) and _TRACEPARENT.fullmatch(parent):
        version, trace_id, _, flags = parent.split("-")
    else:
        version, trace_id, flags = "00", secrets.token_hex(16), "01"
    return f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"
