"""The shapes of webhooks, as OpenAPI shows them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

DeliveryStatus = Literal["pending", "delivered", "failed"]


class Webhook(BaseModel):
    url: str
    status: Literal["active", "resting", "disabled"] = Field(
        description="`resting`: left alone after failures; `disabled`: it answered 410 Gone, until it is resumed"
    )
    failures: int = Field(description="attempts that failed in a row")
    rests_until: str | None
    disabled_at: str | None
    former_secret_until: str | None = Field(description="until when the secret before signs too")
    pending: int = Field(description="events that wait to be delivered")
    failed: int = Field(description="events that were given up, and can be sent again")


class Secret(BaseModel):
    secret: str = Field(description="`whsec_...`; shown here, and never again")
    former_until: str = Field(description="until when the one before signs too")


class Attempt(BaseModel):
    id: int
    at: str
    status_code: int | None
    error: str | None = Field(description="one word for why there was no answer")
    milliseconds: int
    delivery: int
    delivery_status: DeliveryStatus
    next_attempt_at: str | None = Field(description="of the delivery, while it is pending")
    event_id: str
    type: str
    subject: str
    sequence: int


class AttemptList(BaseModel):
    items: list[Attempt]
    next: str | None


class Delivery(BaseModel):
    id: int
    event_id: str
    replay: str | None = Field(description="the request by which the event was sent once more")
    type: str
    subject: str
    sequence: int
    status: DeliveryStatus
    attempts: int
    created_at: str
    next_attempt_at: str | None = Field(description="none while an earlier event of the case is pending")
    finished_at: str | None


class DeliveryList(BaseModel):
    items: list[Delivery]
    next: str | None


class TestEvent(BaseModel):
    id: int = Field(description="the delivery's")
    event_id: str
