"""Subscriptions of a department or an outside organisation to the events of cases."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Security
from starlette.responses import JSONResponse, Response

from contracts.actors import Actor
from contracts.errors import NotPermitted
from gateway.api.callers import Services, WebhookEndpoints, get_subscriber
from gateway.api.schemas import PROBLEMS, Cursor, Limit
from gateway.api.subscription_schemas import (
    Replay,
    ReplayList,
    ReplayRequest,
    Subscription,
    SubscriptionList,
    SubscriptionRequest,
)

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"], responses=PROBLEMS)

Subscriber = Annotated[Actor, Security(get_subscriber, scopes=["events"])]


@router.post("", status_code=201, response_model=Subscription)
async def create_subscription(
    services: Services, endpoints: WebhookEndpoints, actor: Subscriber, wanted: SubscriptionRequest
) -> Response:
    """Make a subscription. The same request again gives the one that there is; another one of its name is 409.

    A department hears of its own cases; for those of others, and for an organisation, an agreement is needed.
    """
    owner = actor.department or actor.organisation
    if owner is None:
        # cases decides who is one; nobody else makes us look for hosts
        raise NotPermitted("subscribe")
    if wanted.delivery == "webhook" and wanted.url is not None:
        await endpoints.require_allowed(wanted.url, owner)
    parts = wanted.filter.model_dump(exclude_unset=True)
    arguments: tuple[Any, ...] = (wanted.name, parts, wanted.delivery, wanted.url, wanted.start)
    subscription = await services.call("cases.create_subscription", *arguments, actor=actor)
    return JSONResponse(subscription, 201, {"Location": f"/api/v1/subscriptions/{wanted.name}"})


@router.get("", response_model=SubscriptionList)
async def list_subscriptions(
    services: Services, actor: Subscriber, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """Mine, by name."""
    return JSONResponse(await services.call("cases.list_subscriptions", cursor, limit, actor=actor))


@router.get("/{name:code}", response_model=Subscription)
async def get_subscription(services: Services, actor: Subscriber, name: str) -> Response:
    return JSONResponse(await services.call("cases.get_subscription", name, actor=actor))


@router.delete("/{name:code}", status_code=204, response_class=Response)
async def end_subscription(services: Services, actor: Subscriber, name: str) -> Response:
    """End it: nothing more comes, its queue is removed, and some seconds later its name is free."""
    await services.call("cases.end_subscription", name, actor=actor)
    return Response(status_code=204)


@router.post("/{name:code}/replays", status_code=202, response_model=Replay)
async def replay_subscription(services: Services, actor: Subscriber, name: str, wanted: ReplayRequest) -> Response:
    """Have a range of the history sent once more, beside what is new. Each message says so: `onehall-replay`."""
    replay = await services.call("cases.replay_subscription", name, wanted.from_, wanted.until, actor=actor)
    return JSONResponse(replay, 202, {"Location": f"/api/v1/subscriptions/{name}/replays"})


@router.get("/{name:code}/replays", response_model=ReplayList)
async def list_replays(
    services: Services, actor: Subscriber, name: str, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """What was or is sent from the history: the start, and ranges asked for again. The newest first."""
    return JSONResponse(await services.call("cases.list_replays", name, cursor, limit, actor=actor))
