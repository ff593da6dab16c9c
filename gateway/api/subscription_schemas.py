"""The shapes of subscriptions, as OpenAPI shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.types import JsonValue

from contracts.filters import ANY, MOST_VALUES, TYPES
from gateway.api.schemas import Body, Code, Text


def _listed(value: Any) -> Any:
    """One value need not be put into a list."""
    return [value] if isinstance(value, str) else value


Values = Annotated[list[Code], BeforeValidator(_listed), Field(min_length=1, max_length=MOST_VALUES)]
Time = Annotated[Text, Field(max_length=40)]

_EXAMPLE: dict[str, JsonValue] = {
    "name": "permits",
    "filter": {"types": ["case.submitted", "case.closed"], "items": ["residence-permit"]},
    "delivery": "amqp",
    "start": "beginning",
}
_RANGE: dict[str, JsonValue] = {"from": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
_REPLAY: dict[str, JsonValue] = {
    "id": "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b",
    "kind": "start",
    "requested_at": "2026-11-24T07:15:00Z",
    "finished_at": None,
    "remaining": 120,
}
_SUBSCRIPTION: dict[str, JsonValue] = {
    "id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "name": "permits",
    "owner": "civil-affairs",
    "filter": {
        "types": ["case.closed", "case.submitted"],
        "departments": ["civil-affairs"],
        "regions": [ANY],
        "kinds": [ANY],
        "items": ["residence-permit"],
    },
    "delivery": "amqp",
    "queue": "dept.civil-affairs.permits",
    "url": None,
    "start": "beginning",
    "status": "starting",
    "created_at": "2026-11-24T07:15:00Z",
    "ends_at": None,
    "ended_at": None,
    "end_reason": None,
    "replay": _REPLAY,
    "waiting": None,
}


class EventFilter(Body):
    """An event passes if each part names its value or is `*`, as one left out is. A single value needs no list."""

    types: Values = Field(default=[ANY], description=f"of {', '.join(TYPES)}")
    departments: Values = Field(
        default=[ANY], description="the competent departments; left out by a department, it is its own"
    )
    regions: Values = Field(default=[ANY], description="as the service items name them")
    kinds: Values = Field(default=[ANY], description="as the service items name them")
    items: Values = Field(default=[ANY], description="codes of service items")


class SubscriptionRequest(Body):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    name: Text = Field(
        max_length=40,
        description="lower-case letters, digits and hyphens; part of the queue's name",
        json_schema_extra={"pattern": "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"},
    )
    filter: EventFilter = Field(default_factory=EventFilter)
    delivery: Literal["amqp", "webhook"] = "amqp"
    url: Text | None = Field(default=None, max_length=2_000, description="where a webhook's events are posted to")
    start: Time = Field(default="now", description="`now`, `beginning`, or a time of the past (RFC 3339)")


class ReplayRequest(Body):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_RANGE]})

    from_: Time = Field(alias="from", description="`beginning`, or a time of the past (RFC 3339)")
    until: Time | None = Field(default=None, description="a later time of the past; left out, it is now")


class Replay(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [_REPLAY]})

    id: str = Field(description="in the header `onehall-replay` of each message of a repeat")
    kind: Literal["start", "repeat"]
    requested_at: str
    finished_at: str | None
    remaining: int = Field(description="events of the whole history that are still to be looked through")


class ReplayList(BaseModel):
    items: list[Replay]
    next: str | None


class Subscription(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [_SUBSCRIPTION]})

    id: str
    name: str
    owner: str
    filter: dict[str, list[str]] = Field(description="every part; `*` is any value")
    delivery: Literal["amqp", "webhook"]
    queue: str | None = Field(description="where an AMQP subscriber reads")
    url: str | None = Field(description="where a webhook's events are posted to")
    secret: str | None = Field(
        default=None, description="signs the webhook's events; shown in the answer that made it, and never again"
    )
    start: str
    status: Literal["starting", "active", "ended"] = Field(
        description="`starting`: the history is on its way, and what is new follows it"
    )
    created_at: str
    ends_at: str | None = Field(description="when the agreement that allows it runs out")
    ended_at: str | None
    end_reason: Literal["owner", "agreement", "operator"] | None
    replay: Replay | None = Field(description="what is being sent from the history now")
    waiting: int | None = Field(description="messages in the queue when the platform last looked")


class SubscriptionList(BaseModel):
    items: list[Subscription]
    next: str | None
