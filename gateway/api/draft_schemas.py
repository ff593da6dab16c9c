"""The shapes of drafts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from contracts.actors import CHANNELS
from gateway.api.schemas import Body, Code, Form, LanguageText

Revision = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]


class DraftBeginning(Body):
    item: Code
    form: Form = Field(default_factory=dict, description="as typed: nothing of it need be right yet")


class DraftSaving(Body):
    changes: Form = Field(description="field -> what stands there now, as typed; null empties it")
    base: Revision | None = Field(
        default=None,
        description="the revision that the changes were made on. What others have changed since is merged by field; "
        "where both changed one field, what was saved first stays, and `conflicts` names it",
    )


class NewerForm(BaseModel):
    version: int
    fits: list[str]
    left_over: list[str] = Field(description="answered fields that the newer form has no place for")


class ListedDraft(BaseModel):
    id: str
    item: str
    item_name: LanguageText
    item_version: int
    revision: int
    channel: Literal[CHANNELS]  # type: ignore[valid-type]
    created_at: str
    updated_at: str
    expires_at: str
    is_outdated: bool = Field(description="whether a newer version of the item is published")


class DraftList(BaseModel):
    items: list[ListedDraft]
    next: str | None


class Draft(ListedDraft):
    form: dict[str, Any]
    left_over: dict[str, Any] = Field(description="answers of an older form without a place in this one")
    newer: NewerForm | None


class DraftConflict(BaseModel):
    field: str
    stands: Any = Field(description="what is saved")
    refused: Any = Field(description="what was sent and not saved; send it with the new `base` to have it")
    channel: str = Field(description="through which the other was saved")


class SavedDraft(ListedDraft):
    form: dict[str, Any]
    conflicts: list[DraftConflict]
    changed: dict[str, Any] = Field(description="what was written since `base`, by whomever")
