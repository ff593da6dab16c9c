"""The rows of webhooks, their deliveries and attempts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from chassis.database import Session

_ADD = text("INSERT INTO webhooks (subscription, url, secret) VALUES (:subscription, :url, :secret)")
_URLS = text("SELECT subscription::text, url FROM webhooks WHERE subscription = ANY(CAST(:subscriptions AS uuid[]))")
# each status has a partial index of its own
_LOAD = text(
    "SELECT url, CASE WHEN former_until > now() THEN former_until END, failures,"
    " CASE WHEN rests_until > now() THEN rests_until END, disabled_at,"
    " (SELECT count(*) FROM webhook_deliveries WHERE subscription = :subscription AND status = 'pending')"
    " + (SELECT count(*) FROM webhook_deliveries WHERE subscription = :subscription AND status = 'requested'),"
    " (SELECT count(*) FROM webhook_deliveries WHERE subscription = :subscription AND status = 'failed')"
    " FROM webhooks WHERE subscription = :subscription"
)
_ROTATE = text(
    "UPDATE webhooks SET former_secret = secret, former_until = :former_until, secret = :secret"
    " WHERE subscription = :subscription"
)
_RESUME = text(
    "UPDATE webhooks SET disabled_at = NULL, failures = GREATEST(failures, 1), rests_until = NULL, resumed_at = :now"
    " WHERE subscription = :subscription AND (resumed_at IS NULL OR resumed_at <= :since)"
)
_ATTEMPTS = text(
    "SELECT webhook_attempts.id, at, status_code, error, milliseconds, delivery, event_id, type, subject, sequence,"
    " status, next_attempt_at FROM webhook_attempts JOIN webhook_deliveries ON webhook_deliveries.id = delivery"
    " WHERE webhook_attempts.subscription = :subscription AND webhook_attempts.id < :before"
    " ORDER BY webhook_attempts.id DESC LIMIT :limit"
)
_DELIVERY = (
    "SELECT id, event_id, replay, type, subject, sequence, status, attempts, created_at, next_attempt_at, finished_at"
    " FROM webhook_deliveries WHERE subscription = :subscription"
)
_DELIVERIES = text(f"{_DELIVERY} AND id < :before ORDER BY id DESC LIMIT :limit")
_DELIVERIES_WITH = text(f"{_DELIVERY} AND status = ANY(:statuses) AND id < :before ORDER BY id DESC LIMIT :limit")
_GET_DELIVERY = text(f"{_DELIVERY} AND id = :id FOR UPDATE")
_REQUEST = text("UPDATE webhook_deliveries SET status = 'requested', finished_at = NULL WHERE id = :id")
_ADD_DELIVERY = text(
    "INSERT INTO webhook_deliveries"
    " (subscription, event_id, replay, type, subject, sequence, body, status, created_at)"
    " VALUES (:subscription, :event_id, '', :type, :subject, 1, :body, 'requested', :now) RETURNING id"
)
_IS_UNFINISHED = text(
    "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE subscription = :subscription AND subject = :subject"
    " AND status IN ('pending', 'requested'))"
)

NEWEST = 2**63 - 1
"""Before this comes every row."""


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str
    former_until: datetime | None
    failures: int
    rests_until: datetime | None
    disabled_at: datetime | None
    pending: int
    failed: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """With the delivery that it was made for."""

    id: int
    at: datetime
    status_code: int | None
    error: str | None
    milliseconds: int
    delivery: int
    event_id: str
    type: str
    subject: str
    sequence: int
    status: str
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    id: int
    event_id: str
    replay: str
    type: str
    subject: str
    sequence: int
    status: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None


def add(session: Session, subscription: str, url: str, sealed_secret: bytes) -> None:
    session.execute(_ADD, {"subscription": subscription, "url": url, "secret": sealed_secret})


def urls(session: Session, subscriptions: Iterable[str]) -> dict[str, str]:
    """Subscription -> URL, of those that are webhooks."""
    rows = session.execute(_URLS, {"subscriptions": list(subscriptions)})
    return {row.subscription: row.url for row in rows}


def load(session: Session, subscription: str) -> Webhook | None:
    row = session.execute(_LOAD, {"subscription": subscription}).one_or_none()
    return Webhook(*row) if row else None


def rotate(session: Session, subscription: str, sealed_secret: bytes, former_until: datetime) -> None:
    values = {"subscription": subscription, "secret": sealed_secret, "former_until": former_until}
    session.execute(_ROTATE, values)


def resume(session: Session, subscription: str, now: datetime, since: datetime) -> bool:
    """Let one request out, whose success ends the failures. False if it was resumed after `since` already."""
    return session.execute(_RESUME, {"subscription": subscription, "now": now, "since": since}).rowcount == 1


def list_attempts(session: Session, subscription: str, before: int, limit: int) -> list[Attempt]:
    """The newest first."""
    values = {"subscription": subscription, "before": before, "limit": limit}
    return [Attempt(*row) for row in session.execute(_ATTEMPTS, values)]


def list_deliveries(
    session: Session, subscription: str, statuses: tuple[str, ...], before: int, limit: int
) -> list[Delivery]:
    """The newest first; of every status if none is named."""
    values = {"subscription": subscription, "before": before, "limit": limit}
    if statuses:
        return [Delivery(*row) for row in session.execute(_DELIVERIES_WITH, values | {"statuses": list(statuses)})]
    return [Delivery(*row) for row in session.execute(_DELIVERIES, values)]


def load_delivery(session: Session, subscription: str, delivery: int) -> Delivery | None:
    """Locked until the transaction ends."""
    row = session.execute(_GET_DELIVERY, {"subscription": subscription, "id": delivery}).one_or_none()
    return Delivery(*row) if row else None


def request(session: Session, delivery: int) -> None:
    """Have the dispatcher send it; only it gives turns."""
    session.execute(_REQUEST, {"id": delivery})


def add_requested(
    session: Session, subscription: str, event_id: str, type_: str, subject: str, body: str, now: datetime
) -> int:
    values = {"subscription": subscription, "event_id": event_id, "type": type_, "subject": subject, "body": body}
    return int(session.execute(_ADD_DELIVERY, values | {"now": now}).scalar_one())


def is_unfinished(session: Session, subscription: str, subject: str) -> bool:
    return bool(session.execute(_IS_UNFINISHED, {"subscription": subscription, "subject": subject}).scalar_one())
