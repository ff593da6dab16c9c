"""The shapes of mandates in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from gateway.api.schemas import Body, Code, Text

Who = Annotated[Text, Field(min_length=1, max_length=300)]
Day = Annotated[Text, Field(max_length=10, examples=["2027-06-30"])]


class MandateGrant(Body):
    """For one service item or for one case."""

    agent: Who = Field(description="ID number, phone number or user name")
    item: Code | None = None
    number: Code | None = None
    until: Day = Field(description="the last day, a year from now at most")


class Mandate(BaseModel):
    id: str
    kind: Literal["authorisation", "guardianship"]
    name: str | None = Field(description="the other side's; until they have accepted, what they were called by, masked")
    item: str | None
    number: str | None
    status: Literal["offered", "live", "ended"]
    created_at: str
    ends_at: str
    ended_by: str | None


class Mandates(BaseModel):
    given: list[Mandate]
    received: list[Mandate]


class Confirmation(Body):
    ward_id_number: Who
    guardian_id_number: Who
    ward_name: Annotated[Text, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="needed for a ward who has no account yet"
    )
    until: Day | None = Field(default=None, description="needed for a grown-up; a year from now at most")


class ConfirmedGuardianship(BaseModel):
    id: str
    ends_at: str
