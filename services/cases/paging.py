"""Lists by cursor. The cursor is where the last page ended, in a form that nobody is tempted to make up."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from contracts.errors import InvalidInput
from services.cases.forms import fault

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

T = TypeVar("T")


def require_limit(limit: object) -> int:
    if limit is None:
        return DEFAULT_LIMIT
    if type(limit) is not int:
        raise InvalidInput([fault("/limit", "type", "integer")])
    if not 1 <= limit <= MAX_LIMIT:
        rule, value = ("minimum", 1) if limit < 1 else ("maximum", MAX_LIMIT)
        raise InvalidInput([fault("/limit", rule, value)])
    return limit


def encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode(cursor: object, is_key: Callable[[str], bool]) -> str | None:
    """The key in a cursor of ours; `InvalidInput` for anything else."""
    if cursor is None:
        return None
    try:
        key = base64.b64decode(str(cursor) + "=" * (-len(str(cursor)) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error) as error:
        raise not_ours() from error
    if not is_key(key):
        raise not_ours()
    return key


def page(rows: Sequence[T], limit: int, key: Callable[[T], str], view: Callable[[T], Any]) -> dict[str, Any]:
    """`{"items", "next"}` of rows that were read with `limit + 1`: the one too many says that there is a next page."""
    shown = rows[:limit]
    return {
        "items": [view(row) for row in shown],
        "next": encode(key(shown[-1])) if len(rows) > limit else None,
    }


def not_ours() -> InvalidInput:
    return InvalidInput([fault("/cursor", "cursor", "the `next` of the page before")])
