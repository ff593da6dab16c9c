"""Pages of lists by moment and id: how long they are, and where the next one begins."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

from contracts.errors import Fault, InvalidInput

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


def require_limit(limit: int | None) -> int:
    if limit is None:
        return DEFAULT_LIMIT
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput([Fault(pointer="/limit", rule="maximum", value=MAX_LIMIT)])
    return limit


def cursor(at: datetime, last_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), last_id]).encode()).decode()


def read_cursor(text: str | None) -> tuple[datetime, str] | None:
    """Raise `InvalidInput` for one that we did not give."""
    if text is None:
        return None
    try:
        at, last_id = json.loads(base64.urlsafe_b64decode(text))
        return datetime.fromisoformat(at).astimezone(UTC), str(UUID(last_id))
    # OverflowError: a day before the first; RecursionError: brackets without end
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput([Fault(pointer="/cursor", rule="cursor", value=None)]) from None
