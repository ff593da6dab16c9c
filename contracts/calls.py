"""Which calls of a service may be made twice: the gateway repeats them, a service answers them after a crash."""

from __future__ import annotations

from collections.abc import Sequence

_READS = ("get_", "list_")
_FILINGS = ("submit_case", "submit_draft", "submit_joint_case", "submit_joint_draft")
_READ_ENDPOINTS = ("jwks", "configuration")


def is_repeatable(method: str, arguments: Sequence[object]) -> bool:
    """Whether doing it twice is the same as doing it once. Filing always carries an idempotency key."""
    if method == "answer_protocol":
        return bool(arguments) and arguments[0] in _READ_ENDPOINTS
    return method in _FILINGS or method.startswith(_READS)
