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


class EvidenceCounts(BaseModel):
    """What a department was asked for as a source of evidence, by the last time that each document was asked for."""

    asked: int
    in_time: int = Field(description="answered within the limit")
    late: int = Field(description="not answered within the limit; those that were answered afterwards, too")
    unanswered: int = Field(description="of the late ones, those that have no answer")
    waiting: int = Field(description="not answered yet, and in time")
    median_seconds: int | None = Field(description="from asking to the answer, of those that were answered")


class PaperCounts(EvidenceCounts):
    source: str
    paper: str
    paper_name: LanguageText


class EvidenceFigures(EvidenceCounts):
    papers: list[PaperCounts]


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
    evidence: EvidenceFigures | None = None
