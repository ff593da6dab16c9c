"""What owners do with their webhooks. Each is one transaction's work."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.database import Session
from chassis.sealing import Seal
from chassis.webhooks import secrets
from chassis.webhooks.addresses import UrlRefused, parse
from contracts import topology
from contracts.actors import Actor
from contracts.errors import (
    DeliveryNotFailed,
    InvalidInput,
    NotFound,
    SubscriptionEnded,
    WebhookJustResumed,
    WebhookTestUnderWay,
)
from services.cases.catalogue.model import Catalogue
from services.cases.subscriptions.domain import Subscription
from services.cases.webhooks import queries, store

FORMER_SECRET_LIFE = timedelta(hours=24)
"""How long the secret before signs too, after a new one was made."""

RESUME_PAUSE = timedelta(seconds=10)
"""Between two requests to try an endpoint again."""

TEST_TYPE = "onehall.test"
_TEST_SUBJECT = "test"


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """`secret` is shown to the owner, once; `sealed` is kept."""

    url: str
    secret: str
    sealed: bytes


def prepare(url: str | None, seal: Seal) -> NewWebhook | None:
    """Check the URL, which needs no transaction, and make a secret. None for no URL."""
    if url is None:
        return None
    try:
        parse(url)
    except UrlRefused as error:
        raise InvalidInput([{"pointer": "/url", "rule": "webhookUrl", "value": error.args[0]}]) from error
    secret = secrets.new_secret()
    return NewWebhook(url, secrets.shown(secret), seal.close(secret))


def rotate_secret(
    session: Session, catalogue: Catalogue, actor: Actor, name: str, seal: Seal, now: datetime
) -> dict[str, str]:
    """A new secret, shown once. The one before signs beside it for a day, the one before that no more."""
    subscription = _require_standing(session, catalogue, actor, name)
    secret, former_until = secrets.new_secret(), now + FORMER_SECRET_LIFE
    store.rotate(session, subscription.id, seal.close(secret), former_until)
    return {"secret": secrets.shown(secret), "former_until": queries.moment(former_until)}


def resume_webhook(session: Session, catalogue: Catalogue, actor: Actor, name: str, now: datetime) -> None:
    """Try an endpoint that rests, or that has answered 410 Gone, at once: by one request, and the rest if it is taken.

    Resumed in a loop, an endpoint that takes time and fails would never rest.
    """
    subscription = _require_standing(session, catalogue, actor, name)
    if not store.resume(session, subscription.id, now, now - RESUME_PAUSE):
        raise WebhookJustResumed(name)


def retry_delivery(session: Session, catalogue: Catalogue, actor: Actor, name: str, delivery: int) -> dict[str, Any]:
    """Send one again that was given up, with all its attempts anew."""
    subscription = _require_standing(session, catalogue, actor, name)
    failed = store.load_delivery(session, subscription.id, delivery) if 0 < delivery < store.NEWEST else None
    if failed is None:
        raise NotFound("delivery", str(delivery))
    if failed.status != queries.FAILED:
        raise DeliveryNotFailed(str(delivery), queries.shown_status(failed.status))
    store.request(session, failed.id)
    return queries.delivery_view(failed) | {"status": queries.PENDING, "finished_at": None}


def send_test(session: Session, catalogue: Catalogue, actor: Actor, name: str, now: datetime) -> dict[str, Any]:
    """An event that says nothing, signed and tried again as any other. One at a time."""
    subscription = _require_standing(session, catalogue, actor, name)
    if store.is_unfinished(session, subscription.id, _TEST_SUBJECT):
        raise WebhookTestUnderWay(name)
    event_id = str(uuid.uuid4())
    body = _test_event(event_id, now)
    delivery = store.add_requested(session, subscription.id, event_id, TEST_TYPE, _TEST_SUBJECT, body, now)
    return {"id": delivery, "event_id": event_id}


def _test_event(event_id: str, now: datetime) -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": topology.SUBSCRIBABLE,
            "type": TEST_TYPE,
            "subject": _TEST_SUBJECT,
            "time": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {},
        }
    )


def _require_standing(session: Session, catalogue: Catalogue, actor: Actor, name: str) -> Subscription:
    subscription = queries.require_webhook(session, catalogue, actor, name)
    if subscription.ended_at is not None:
        raise SubscriptionEnded(name)
    return subscription
