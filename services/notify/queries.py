"""What is read: the inbox, page by page, and preferences."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.database import Session
from contracts import security
from contracts.errors import InvalidInput
from services.notify import store
from services.notify.wording import LOCALES, ItemNames, Text, Topic, render, render_security

_LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Rows of `store.messages`, newest first, and the cursor of the next page."""

    rows: list[Any]
    next: str | None


def list_inbox(session: Session, recipient: str, cursor: str | None, limit: int) -> InboxPage:
    size = min(max(limit, 1), _LARGEST_PAGE)
    rows = list(store.list_messages(session, recipient, _read_cursor(cursor), size + 1))
    is_last = len(rows) <= size
    return InboxPage(rows[:size], None if is_last else _cursor(rows[size - 1]))


def present_inbox(page: InboxPage, names_of: Callable[[str], ItemNames], base_url: str) -> dict[str, Any]:
    """The page as the API gives it, in every language. `names_of` may ask elsewhere: call it outside a transaction."""
    names = {item: names_of(item) for item in {row.item for row in page.rows} if item}
    return {
        "items": [_present(row, names.get(row.item, {}), base_url) for row in page.rows],
        "next": page.next,
    }


def get_preferences(session: Session, subject: str) -> dict[str, Any] | None:
    """None when the account never set any."""
    preferred = store.get_preferences(session, subject)
    return None if preferred is None else {"locale": preferred.locale, "channels": list(preferred.channels)}


def default_preferences(locale: str) -> dict[str, Any]:
    return {"locale": locale, "channels": list(store.CHANNELS)}


def _present(row: Any, names: ItemNames, base_url: str) -> dict[str, Any]:
    texts = {locale: _text(row, locale, names, base_url) for locale in LOCALES}
    return {
        "id": row.id,
        "at": row.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "event": row.event,
        "number": row.number,
        "item": row.item,
        "subject": {locale: text.subject for locale, text in texts.items()},
        "body": {locale: text.body for locale, text in texts.items()},
        "read": row.read_at is not None,
        "notice": row.notice if row.change not in (None, *security.WITHOUT_CODE) else None,
    }


def _text(row: Any, locale: str, names: ItemNames, base_url: str) -> Text:
    if row.change is not None:
        return render_security(locale, row.change)
    return render(Topic(row.event, row.number, row.item, row.department), locale, names, base_url)


def _cursor(row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.at.isoformat(), row.id]).encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        at, message_id = json.loads(base64.urlsafe_b64decode(cursor))
        return _moment(at), str(UUID(message_id))
    # OverflowError: a day before the first; RecursionError: brackets without end
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput([{"pointer": "/cursor", "rule": "cursor", "value": None}]) from None


def _moment(text: str) -> datetime:
    """In UTC: PostgreSQL does not know every time zone that Python reads."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("without a time zone it is no moment")
    return at.astimezone(UTC)
