"""What owners read of their webhooks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, overload

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotFound
from services.cases.catalogue.model import Catalogue
from services.cases.paging import decode, page, require_limit
from services.cases.subscriptions import queries as subscriptions
from services.cases.subscriptions.domain import WEBHOOK, Subscription
from services.cases.webhooks import store
from services.cases.webhooks.store import Attempt, Delivery, Webhook

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
STATUSES = {PENDING: ("pending", "requested"), DELIVERED: ("delivered",), FAILED: ("failed",)}
"""What is shown -> what is stored. `requested` only says that the dispatcher has not looked yet."""

_LATEST_REPLAYS = 5
_PAGE = 20

ACTIVE, RESTING, DISABLED = "active", "resting", "disabled"


def get_webhook(session: Session, catalogue: Catalogue, actor: Actor, name: str) -> dict[str, Any]:
    subscription = require_webhook(session, catalogue, actor, name)
    webhook = store.load(session, subscription.id)
    if webhook is None:
        raise NotFound("webhook", name)
    return {
        "url": webhook.url,
        "status": _status(webhook),
        "failures": webhook.failures,
        "rests_until": moment(webhook.rests_until),
        "disabled_at": moment(webhook.disabled_at),
        "former_secret_until": moment(webhook.former_until),
        "pending": webhook.pending,
        "failed": webhook.failed,
    }


def get_overview(session: Session, catalogue: Catalogue, actor: Actor, name: str, cursor: str | None) -> dict[str, Any]:
    """All that the page of a subscription shows, in one call. `cursor` is of the attempts.

    `webhook`, `failed` and `attempts` are None for one of another delivery.
    """
    subscription = subscriptions.get_subscription(session, catalogue, actor, name)
    replays = subscriptions.list_replays(session, catalogue, actor, name, None, _LATEST_REPLAYS)
    shown = {"subscription": subscription, "replays": replays["items"]}
    if subscription["delivery"] != WEBHOOK:
        return shown | dict.fromkeys(("webhook", "failed", "attempts"))
    failed = list_deliveries(session, catalogue, actor, name, FAILED, None, _PAGE)
    return shown | {
        "webhook": get_webhook(session, catalogue, actor, name),
        "failed": failed["items"],
        "attempts": list_attempts(session, catalogue, actor, name, cursor, _PAGE),
    }


def list_attempts(
    session: Session, catalogue: Catalogue, actor: Actor, name: str, cursor: str | None, limit: int | None
) -> dict[str, Any]:
    """The newest first."""
    subscription = require_webhook(session, catalogue, actor, name)
    size = require_limit(limit)
    rows = store.list_attempts(session, subscription.id, _before(cursor), size + 1)
    return page(rows, size, key=lambda row: str(row.id), view=_attempt_view)


def list_deliveries(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    name: str,
    status: str | None,
    cursor: str | None,
    limit: int | None,
) -> dict[str, Any]:
    """The newest first."""
    subscription = require_webhook(session, catalogue, actor, name)
    if status is not None and status not in STATUSES:
        raise InvalidInput([{"pointer": "/status", "rule": "enum", "value": list(STATUSES)}])
    statuses = STATUSES[status] if status else ()
    size = require_limit(limit)
    rows = store.list_deliveries(session, subscription.id, statuses, _before(cursor), size + 1)
    return page(rows, size, key=lambda row: str(row.id), view=delivery_view)


def require_webhook(session: Session, catalogue: Catalogue, actor: Actor, name: str) -> Subscription:
    """The owner's subscription of this name, if it is delivered by webhook."""
    subscription = subscriptions.require_visible(session, catalogue, actor, name)
    if subscription.delivery != WEBHOOK:
        raise NotFound("webhook", name)
    return subscription


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "replay": delivery.replay or None,
        "type": delivery.type,
        "subject": delivery.subject,
        "sequence": delivery.sequence,
        "status": shown_status(delivery.status),
        "attempts": delivery.attempts,
        "created_at": moment(delivery.created_at),
        "next_attempt_at": moment(delivery.next_attempt_at),
        "finished_at": moment(delivery.finished_at),
    }


def shown_status(stored: str) -> str:
    return next(status for status, values in STATUSES.items() if stored in values)


@overload
def moment(at: datetime) -> str: ...
@overload
def moment(at: datetime | None) -> str | None: ...
def moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _attempt_view(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "at": moment(attempt.at),
        "status_code": attempt.status_code,
        "error": attempt.error,
        "milliseconds": attempt.milliseconds,
        "delivery": attempt.delivery,
        "delivery_status": shown_status(attempt.status),
        "next_attempt_at": moment(attempt.next_attempt_at),
        "event_id": attempt.event_id,
        "type": attempt.type,
        "subject": attempt.subject,
        "sequence": attempt.sequence,
    }


def _status(webhook: Webhook) -> str:
    if webhook.disabled_at is not None:
        return DISABLED
    return RESTING if webhook.rests_until is not None else ACTIVE


def _before(cursor: str | None) -> int:
    return int(decode(cursor, _is_id) or store.NEWEST)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
