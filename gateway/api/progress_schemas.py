"""The shape of a case's progress, as OpenAPI shows it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from gateway.api.schemas import Due, LanguageText


class ProgressEntry(BaseModel):
    at: str
    event: str


class Progress(BaseModel):
    number: str
    item: str
    item_name: LanguageText
    department: str
    status: str
    decision: str | None
    submitted_at: str
    updated_at: str
    due: Due
    answer_by: str | None = Field(description="the applicant's last day to answer")
    awaited: Literal["applicant", "department", "nobody"] = Field(description="whose turn it is")
    missing: list[LanguageText] = Field(description="documents and fields that the applicant is to bring")
    history: list[ProgressEntry]
