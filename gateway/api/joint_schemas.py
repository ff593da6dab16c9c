"""The shapes of joint cases."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from gateway.api.schemas import Body, Code, Due, Form, HistoryEntry, LanguageText


class JointFiling(Body):
    item: Code = Field(description="a joint item: one that has `parts`")
    form: Form
    item_version: int | None = Field(default=None, ge=1, description="whose form was filled in; an older one is 409")
    documents: list[Code] | None = Field(
        default=None,
        max_length=30,
        description="ids of files that were uploaded to drafts of this item; each is handed in once for every part that"
        " asks for it. Named (`[]`, too), this is all: what is required and lacks is 422",
    )
    consents: list[Code] | None = Field(
        default=None,
        max_length=20,
        description="documents that the applicant lets be fetched for the parts that begin at once: of the item's"
        " `fetched`",
    )


class JointAction(Body):
    action: Literal["withdraw", "correct"]
    part: Code | None = Field(default=None, description="the item's code; `withdraw` without it is all that is open")
    form: Form | None = Field(default=None, description="with `correct`: of a part that has not begun")


class PartState(BaseModel):
    item: str
    item_name: LanguageText
    state: str = Field(
        description="the decision or status of its case; or `waiting` for other parts, `not_begun` because of one, "
        "`withdrawn`"
    )
    number: str | None = Field(description="of its case, once it has begun")
    department: str | None


class Joint(BaseModel):
    number: str
    item: str
    item_name: LanguageText
    channel: str
    submitted_at: str
    is_open: bool
    parts: list[PartState]


class JointList(BaseModel):
    items: list[Joint]
    next: str | None


class JointPart(PartState):
    because: list[str] = Field(description="the parts that it waits for, or whose end lets it not begin")
    needs: list[str]
    result: LanguageText | None
    due: Due | None
    answer_by: str | None
    reason: str | None = Field(default=None, description="why it was refused or not accepted, for who may see its case")


class JointHistoryEntry(HistoryEntry):
    sequence: int | None = Field(description="of its case; of what was before a part began there is none")  # type: ignore[assignment]
    number: str | None
    item: str


class WholeJoint(BaseModel):
    number: str
    item: str
    item_name: LanguageText
    channel: str
    submitted_at: str
    is_open: bool
    parts: list[JointPart]
    history: list[JointHistoryEntry] = Field(description="of all parts that the reader may see, in the order of time")
    differing: list[dict[str, Any]] = Field(
        description="answers that were given once and, after a correction, are not the same in all parts"
    )
    actions: list[str]
