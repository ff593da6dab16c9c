"""What owners read of their subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from chassis import replays
from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import NotFound
from services.cases.catalogue.model import Catalogue
from services.cases.paging import decode, page, require_limit
from services.cases.subscriptions import domain, progress, store
from services.cases.subscriptions.domain import Subscription
from services.cases.subscriptions.views import agreement_view, replay_view, subscription_view
from services.cases.webhooks import store as webhooks


def list_subscriptions(
    session: Session, catalogue: Catalogue, actor: Actor, cursor: str | None, limit: int | None
) -> dict[str, Any]:
    """The owner's, by name."""
    owner = domain.owner_of(actor, catalogue.all())
    size = require_limit(limit)
    after = decode(cursor, domain.is_name) or ""
    rows = store.list_of(session, owner.name, after, size + 1)
    pairs = list(zip(rows, views(session, rows), strict=True))
    return page(pairs, size, key=lambda pair: pair[0].name, view=lambda pair: pair[1])


def get_subscription(session: Session, catalogue: Catalogue, actor: Actor, name: str) -> dict[str, Any]:
    return views(session, [require_visible(session, catalogue, actor, name)])[0]


def list_replays(
    session: Session, catalogue: Catalogue, actor: Actor, name: str, cursor: str | None, limit: int | None
) -> dict[str, Any]:
    """The newest first: its start, ranges that were asked for again, and what replaced a lost queue."""
    subscription = require_visible(session, catalogue, actor, name)
    size = require_limit(limit)
    cut = decode(cursor, _is_time)
    before = None if cut is None else _to_time(cut)
    rows = progress.list_replays(session, subscription, before, size + 1)
    last = replays.last_position(session)
    return page(rows, size, key=lambda row: row.requested_at.isoformat(), view=lambda row: replay_view(row, last))


def list_all(session: Session) -> list[dict[str, Any]]:
    """Every owner's."""
    return views(session, store.list_all(session))


def list_agreements(session: Session) -> list[dict[str, Any]]:
    """By grantee; the ended ones too."""
    return [agreement_view(agreement) for agreement in store.list_agreements(session)]


def require_visible(session: Session, catalogue: Catalogue, actor: Actor, name: str) -> Subscription:
    owner = domain.owner_of(actor, catalogue.all())
    subscription = store.load(session, owner.name, name) if domain.is_name(name) else None
    if subscription is None:
        raise NotFound("subscription", name)
    return subscription


def views(session: Session, subscriptions: Iterable[Subscription]) -> list[dict[str, Any]]:
    queues = {subscription.id: subscription.queue.name for subscription in subscriptions}
    # while it starts, that says more than a range besides
    open_replays = sorted(progress.open_replays(session, [*queues.values()]), key=lambda replay: not replay.is_repeat)
    under_way = {replay.queue: replay for replay in open_replays}
    waiting = progress.count_waiting(session, [*queues.values()])
    urls = webhooks.urls(session, queues)
    last = replays.last_position(session)
    return [
        subscription_view(each, urls.get(each.id), under_way.get(queues[each.id]), last, waiting.get(queues[each.id]))
        for each in subscriptions
    ]


def _is_time(text: str) -> bool:
    return _to_time(text) is not None


def _to_time(text: str) -> datetime | None:
    """In UTC: PostgreSQL refuses offsets that Python takes."""
    try:
        time = datetime.fromisoformat(text)
        return None if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
