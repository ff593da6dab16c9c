"""How subscriptions look to their owner: plain JSON, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.cases.subscriptions.domain import (
    ACTIVE,
    AMQP,
    ENDED,
    STARTING,
    Agreement,
    Subscription,
)
from services.cases.subscriptions.filters import filter_to_dict
from services.cases.subscriptions.progress import Replay


def subscription_view(
    subscription: Subscription, url: str | None, replay: Replay | None, last_position: int, waiting: int | None
) -> dict[str, Any]:
    """`replay` is the one under way, if any; `waiting` what the relay last saw in the queue."""
    return {
        "id": subscription.id,
        "name": subscription.name,
        "owner": subscription.owner,
        "filter": filter_to_dict(subscription.filter),
        "delivery": subscription.delivery,
        "queue": subscription.queue.name if subscription.delivery == AMQP else None,
        "url": url,
        "start": subscription.start,
        "status": _status(subscription, replay),
        "created_at": _time(subscription.created_at),
        "ends_at": _time(subscription.ends_at),
        "ended_at": _time(subscription.ended_at),
        "end_reason": subscription.end_reason,
        "replay": replay and replay_view(replay, last_position),
        "waiting": waiting,
    }


def replay_view(replay: Replay, last_position: int) -> dict[str, Any]:
    """`remaining` counts the events of the whole history that are still to be looked through."""
    end = last_position if replay.until is None else replay.until
    return {
        "id": replay.id,
        "kind": "repeat" if replay.is_repeat else "start",
        "requested_at": _time(replay.requested_at),
        "finished_at": _time(replay.finished_at),
        "remaining": 0 if replay.finished_at else max(0, end - replay.position),
    }


def agreement_view(agreement: Agreement) -> dict[str, Any]:
    return {
        "grantee": agreement.grantee,
        "reference": agreement.reference,
        "filter": filter_to_dict(agreement.filter),
        "ends_at": _time(agreement.ends_at),
        "ended_at": _time(agreement.ended_at),
    }


def _status(subscription: Subscription, replay: Replay | None) -> str:
    if subscription.ended_at is not None:
        return ENDED
    return STARTING if replay is not None and not replay.is_repeat else ACTIVE


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
