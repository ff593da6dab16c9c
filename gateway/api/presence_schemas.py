"""The shapes of presence, as OpenAPI shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from gateway.api.schemas import Body, Text


class CardReading(Body):
    id_number: Annotated[Text, Field(min_length=1, max_length=40, description="as the reader gives it")]


class CodeReading(Body):
    challenge: Annotated[Text, Field(min_length=1, max_length=100)]
    code: Annotated[Text, Field(min_length=1, max_length=20, description="as the citizen reads it out")]


class CodeSending(Body):
    phone: Annotated[Text, Field(min_length=1, max_length=40)]


class CodeSent(BaseModel):
    challenge: str


class PresenceProof(BaseModel):
    presence_token: str
    expires_in: int = Field(description="seconds")
    name: str = Field(description="masked", examples=["陈*明"])
