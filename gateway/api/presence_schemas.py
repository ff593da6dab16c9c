"""The shapes of presence, as OpenAPI shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from gateway.api.schemas import Body, Text


class PresenceReading(Body):
    id_number: Annotated[Text, Field(min_length=1, max_length=40, description="as the reader gives it")]


class PresenceProof(BaseModel):
    presence_token: str
    expires_in: int = Field(description="seconds")
    name: str = Field(description="masked", examples=["陈*明"])
