"""The shapes of figures, as OpenAPI shows them."""

from __future__ import annotations

from pydantic import BaseModel, Field

from gateway.api.schemas import LanguageText


class Counts(BaseModel):
    """How often each happened."""

    filed: int
    approved: int
    refused: int
    not_accepted: int
    withdrawn: int
    lapsed: int
    corrections: int = Field(description="corrections asked for")
    overdue: int = Field(description="limits that passed, promised and statutory ones")
    reopened: int


class Times(Counts):
    """From filing (or reopening) to decision, in days of the calendar."""

    decided: int
    within_promised: float | None = Field(description="share of the decisions, 0 to 1")
    within_statutory: float | None
    median_days: int | None
    p90_days: int | None


class MonthCounts(Counts):
    month: str


class ChannelCounts(Counts):
    channel: str


class ItemTimes(Times):
    item: str
    item_name: LanguageText


class OpenCases(BaseModel):
    """What the department handles now, also what was passed to it."""

    open: int
    status: dict[str, int]
    due: dict[str, int]


class CaseStatistics(BaseModel):
    department: str | None
    since: str = Field(alias="from")
    until: str
    as_of: str
    now: OpenCases
    total: Times
    months: list[MonthCounts]
    channels: list[ChannelCounts]
    items: list[ItemTimes]
