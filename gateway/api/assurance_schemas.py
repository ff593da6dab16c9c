"""The shapes of assurance, as OpenAPI shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from gateway.api.schemas import Body, Text


class CardSeen(Body):
    username: Annotated[Text, Field(min_length=1, max_length=64, description="that the person says is theirs")]
    id_number: Annotated[Text, Field(min_length=1, max_length=40, description="on the card")]


class AssuranceRaised(BaseModel):
    name: str = Field(description="masked", examples=["陈*明"])
    level: int
