"""What identifies a person, so that its owner knows it by what is shown and who looks over a shoulder cannot use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHOWN_AT_END = 4
_HIDDEN_AT_LEAST = 3


def is_identifier(name: str, schema: Mapping[str, Any]) -> bool:
    """Of a form's member: an ID number or a mail address by its format, a phone by its name, as none has a format."""
    return schema.get("format") in ("citizen-id", "email") or name.split("_")[-1] in ("telephone", "phone", "mobile")


def mask(value: str) -> str:
    """`1101**********1234`, `138****5678`, `c***@example.org`, as identity masks them."""
    local, at, domain = value.rpartition("@")
    if at:
        return f"{local[:1]}***@{domain}"
    shown = 4 if len(value) > len("13800000000") else 3
    hidden = len(value) - shown - _SHOWN_AT_END
    enough = hidden >= _HIDDEN_AT_LEAST
    return f"{value[:shown]}{'*' * hidden}{value[-_SHOWN_AT_END:]}" if enough else "*" * len(value)
