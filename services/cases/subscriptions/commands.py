"""What owners do with subscriptions, and operators with agreements. Each is one transaction's work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chassis import replays
from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import (
    AgreementNeeded,
    NotFound,
    ReplayTooSoon,
    ReplayUnderWay,
    SubscriptionEnded,
    SubscriptionNameTaken,
    TooManyNewSubscriptions,
    TooManySubscriptions,
    TooManyWaiting,
)
from contracts.filters import ANY, EventFilter
from services.cases.catalogue.model import Catalogue
from services.cases.subscriptions import domain, progress, queries, store
from services.cases.subscriptions.domain import Agreement, Owner, Request, Subscription
from services.cases.subscriptions.filters import require_filter
from services.cases.subscriptions.views import agreement_view, replay_view
from services.cases.webhooks import store as webhooks
from services.cases.webhooks.commands import NewWebhook


def prepare(
    catalogue: Catalogue,
    actor: Actor,
    name: str,
    parts: Mapping[str, Sequence[str]],
    delivery: str,
    url: str | None,
    start: str,
    now: datetime,
) -> Request:
    """Check all of the request that needs no transaction."""
    owner = domain.owner_of(actor, catalogue.all())
    domain.require_delivery(delivery, url)
    return Request(
        owner=owner,
        name=domain.require_name(name),
        filter=require_filter(parts, catalogue.all(), owner.name if owner.is_department else ANY),
        delivery=delivery,
        url=url,
        start=domain.require_start(start, now),
        created_by=actor.subject,
    )


def create_subscription(
    session: Session, request: Request, webhook: NewWebhook | None, now: datetime
) -> dict[str, Any]:
    """Made, or there already exactly as requested. A webhook's secret is shown when it is made, and never again."""
    store.lock_owner(session, request.owner.name)
    subscription = store.load_keeping_name(session, request.owner.name, request.name)
    if subscription is None:
        subscription = _add(session, request, now)
        if webhook is not None:
            webhooks.add(session, subscription.id, webhook.url, webhook.sealed)
            return queries.views(session, [subscription])[0] | {"secret": webhook.secret}
    elif not subscription.is_as_requested(request) or _url(session, subscription) != request.url:
        raise SubscriptionNameTaken(request.name)
    return queries.views(session, [subscription])[0]


def _url(session: Session, subscription: Subscription) -> str | None:
    return webhooks.urls(session, [subscription.id]).get(subscription.id)


def _add(session: Session, request: Request, now: datetime) -> Subscription:
    if store.count_standing(session, request.owner.name) >= domain.MOST_SUBSCRIPTIONS:
        raise TooManySubscriptions(domain.MOST_SUBSCRIPTIONS)
    if store.count_made(session, request.owner.name, now - timedelta(days=1)) >= domain.MOST_NEW_SUBSCRIPTIONS:
        raise TooManyNewSubscriptions(domain.MOST_NEW_SUBSCRIPTIONS)
    subscription = store.add(session, request, _require_agreement(session, request, now))
    replays.go_live(session, subscription.queue, _first_position(session, request.start), "new subscription")
    return subscription


def _require_agreement(session: Session, request: Request, now: datetime) -> Agreement | None:
    """The agreement that the subscription needs, if it needs one."""
    foreign = domain.beyond_own(request.filter, request.owner)
    if foreign is None:
        return None
    agreement = domain.covering(store.agreements_of(session, request.owner.name), foreign, now)
    if agreement is None:
        raise AgreementNeeded(list(foreign.departments))
    return agreement


def _first_position(session: Session, start: str) -> int:
    if start == domain.NOW:
        return replays.last_position(session)
    return _position_before(session, None if start == domain.BEGINNING else datetime.fromisoformat(start))


def _position_before(session: Session, time: datetime | None) -> int:
    """None: the beginning of the history."""
    return 0 if time is None else replays.position_before(session, time)


def end_subscription(session: Session, catalogue: Catalogue, actor: Actor, name: str) -> None:
    """The owner wants it no more: it is gone for them, and the relay removes its queue."""
    store.end(session, queries.require_visible(session, catalogue, actor, name), domain.BY_OWNER)
    replays.wake(session)


def replay_subscription(
    session: Session, catalogue: Catalogue, actor: Actor, name: str, start: str, end: str | None, now: datetime
) -> dict[str, Any]:
    """Send it a range of the history once more, beside what is new."""
    first, last = domain.require_range(start, end, now)
    store.lock_owner(session, domain.owner_of(actor, catalogue.all()).name)
    subscription = queries.require_visible(session, catalogue, actor, name)
    if not store.keep_standing(session, subscription):
        raise SubscriptionEnded(name)
    _require_room(session, subscription, now)
    after = _position_before(session, first)
    until = replays.last_position(session) if last is None else _position_before(session, last)
    replay = replays.repeat(session, subscription.queue, after, max(after, until), "asked for")
    return replay_view(progress.load_replay(session, replay), replays.last_position(session))


def _require_room(session: Session, subscription: Subscription, now: datetime) -> None:
    """A range may be the whole history: one at a time, not too often, and never for somebody who does not read."""
    queue = subscription.queue.name
    if any(replay.is_repeat for replay in progress.open_replays(session, [queue])):
        raise ReplayUnderWay(subscription.name)
    if progress.was_repeated(session, queue, now - domain.REPLAY_PAUSE):
        raise ReplayTooSoon(int(domain.REPLAY_PAUSE.total_seconds()))
    waiting = progress.count_waiting(session, [queue]).get(queue, 0)
    if waiting + webhooks.count_unsent(session, subscription.id, domain.MOST_WAITING + 1) > domain.MOST_WAITING:
        raise TooManyWaiting(domain.MOST_WAITING)


def add_own_subscription(session: Session, department: str, name: str, created_by: str, now: datetime) -> None:
    """Let a department hear all of its own from now on, if the name is free: the demo's."""
    own = EventFilter(departments=(department,))
    owner = Owner(department, is_department=True)
    request = Request(owner, name, own, domain.AMQP, url=None, start=domain.NOW, created_by=created_by)
    create_subscription(session, request, None, now)


def end_expired_subscriptions(session: Session) -> int:
    """Those whose agreement has run out; how many."""
    ended = store.end_due(session)
    if ended:
        replays.wake(session)
    return ended


def prune_subscriptions(session: Session, now: datetime) -> int:
    """Forget some of those whose queue was removed long ago; how many."""
    return store.delete_removed(session, now - domain.KEPT)


def end_subscription_of(session: Session, owner: str, name: str) -> None:
    """An operator ends it; its owner goes on seeing that it has ended."""
    subscription = store.load(session, owner, name)
    if subscription is None or subscription.ended_at is not None:
        raise NotFound("subscription", f"{owner}/{name}")
    store.end(session, subscription, domain.BY_OPERATOR)
    replays.wake(session)


def add_agreement(
    session: Session,
    catalogue: Catalogue,
    grantee: str,
    reference: str,
    parts: Mapping[str, Sequence[str]],
    ends_at: datetime,
    now: datetime,
) -> dict[str, Any]:
    """Let `grantee`, a department or an organisation, hear what passes the filter, until `ends_at`."""
    agreed = domain.require_agreement(grantee, reference, parts, catalogue.all(), ends_at, now)
    agreement = store.add_agreement(session, grantee, reference, agreed, ends_at)
    if agreement is None:
        raise domain.ReferenceTaken(grantee, reference)
    return agreement_view(agreement)


def extend_agreement(
    session: Session, grantee: str, reference: str, ends_at: datetime, now: datetime
) -> dict[str, Any]:
    """A new end, also for the subscriptions under it; those that have ended stay ended."""
    domain.require_future(ends_at, now)
    agreement = store.extend_agreement(session, grantee, reference, ends_at)
    if agreement is None:
        raise NotFound("agreement", f"{grantee}/{reference}")
    return agreement_view(agreement)


def end_agreement(session: Session, grantee: str, reference: str) -> int:
    """End it now, and every subscription under it; how many."""
    agreement = store.end_agreement(session, grantee, reference)
    if agreement is None:
        raise NotFound("agreement", f"{grantee}/{reference}")
    ended = store.end_under(session, agreement)
    replays.wake(session)
    return ended
