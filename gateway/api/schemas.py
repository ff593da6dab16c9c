"""The shapes that the API takes and gives, as OpenAPI shows them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from contracts.actors import CHANNELS
from gateway.limits import MAX_COMMENT, MAX_NOTE

MAX_LIMIT = 100
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def require_storable(value: Any) -> Any:
    """Text that no database takes: U+0000, and halves of surrogate pairs that JSON can spell."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, str) and _UNSTORABLE.search(part):
            raise PydanticCustomError("unstorable", "text holds a character that cannot be stored")
        if isinstance(part, dict):
            stack += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            stack += part
    return value


Text = Annotated[str, AfterValidator(require_storable)]
Form = Annotated[dict[str, Any], AfterValidator(require_storable)]
Note = Annotated[Text, Field(max_length=MAX_NOTE)]
Comment = Annotated[Text, Field(max_length=MAX_COMMENT)]
Code = Annotated[Text, Field(min_length=1, max_length=64)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[Text | None, Query(max_length=200, description="`next` of the page before")]
Language = Literal["zh-Hans", "zh-Hant", "en"]
LanguageText = dict[str, str]


class Body(BaseModel):
    """What a client sends: a name we do not know is more likely a slip than meant."""

    model_config = ConfigDict(extra="forbid")


class CaseFiling(Body):
    item: Code
    form: Form
    item_version: int | None = Field(default=None, ge=1, description="whose form was filled in; an older one is 409")
    consents: list[Code] | None = Field(
        default=None, max_length=20, description="documents that the applicant lets be fetched from who has them"
    )
    documents: list[Code] | None = Field(
        default=None,
        max_length=30,
        description="ids of files that were uploaded to drafts of this item. Named (`[]`, too), this is all: what is"
        " required and lacks is 422. Without it, what the item needs by the acceptance only may be brought until then",
    )


class MissingThing(Body):
    """One thing that the applicant is to bring: at least one of the three."""

    document: Code | None = Field(default=None, description="a document of the item")
    field: Code | None = Field(default=None, description="a field of its form")
    text: Annotated[Text, Field(max_length=500)] | None = None


class PassedPaper(Body):
    """A document of the item that goes from hand to hand."""

    document: Code
    form: Literal["original", "copy", "electronic"] = "original"
    copies: int = Field(default=1, ge=1, le=99)


_DETAILS = {"missing", "until", "reason", "to", "way", "region", "papers", "tracking"}


class CaseAction(Body):
    action: Code = Field(examples=["accept", "request_correction", "correct", "approve", "refuse", "withdraw"])
    note: Note | None = None
    form: Form | None = None
    missing: list[MissingThing] | None = Field(
        default=None,
        max_length=50,
        description="with `request_correction` and `accept_provisionally`: everything that is missing, once",
    )
    until: date | None = Field(default=None, description="with the same: the applicant's last day to answer")
    reason: Code | None = Field(default=None, description="with `suspend`: what the law takes out of the limit")
    to: Code | None = Field(
        default=None,
        description="with `delegate` or `transfer` a department, with `assign` an account, with `finish_step` a step",
    )
    region: Code | None = Field(default=None, description="with `transfer`, if it is another one (GB/T 2260)")
    papers: list[PassedPaper] | None = Field(default=None, max_length=50, description="with `pass_on`")
    way: Literal["download", "counter", "post"] | None = Field(default=None, description="with `deliver`")
    tracking: Code | None = Field(default=None, description="with `deliver` by post: the carrier's number")

    def details(self) -> dict[str, Any] | None:
        """What the action takes besides note and form; `None` for nothing."""
        asked = self.model_dump(mode="json", exclude_none=True, include=_DETAILS)
        return asked or None


class RatingGiving(Body):
    score: int = Field(ge=1, le=5, strict=True)
    comment: Comment | None = None


class Preferences(Body):
    locale: Language
    channels: list[Literal["inbox", "mail"]] = Field(max_length=2)


class ContactsQuestion(Body):
    subjects: list[Code] = Field(min_length=1, max_length=100)


class StaffQuestion(Body):
    role: Code
    department: Code | None = None
    region: Code | None = Field(default=None, description="only those who see cases of this region")


class CodesQuestion(Body):
    challenges: list[Code] = Field(min_length=1, max_length=100)


class SecurityNoticesQuestion(Body):
    notices: list[Code] = Field(min_length=1, max_length=100)


class Due(BaseModel):
    """The time that the case may take. `on` and `statutory_on` are last days, `days_left` while the clock stands."""

    state: Literal["none", "stopped", "running", "due_soon", "overdue", "escalated"]
    on: str | None
    statutory_on: str | None
    days_left: int | None
    is_tentative: bool = Field(description="the days off of that year are not published yet")


class Case(BaseModel):
    number: str
    item: str
    item_name: LanguageText
    department: str
    region: str
    kind: str
    status: Literal[
        "submitted",
        "accepted",
        "provisionally_accepted",
        "correction_requested",
        "suspended",
        "not_accepted",
        "withdrawn",
        "lapsed",
        "closed",
    ]
    decision: Literal["approved", "refused"] | None
    channel: Literal[CHANNELS]  # type: ignore[valid-type]
    submitted_at: str
    updated_at: str
    sequence: int = Field(description="counts the history; also the version of the case, its `ETag`")
    step: str | None = Field(default=None, description="where it is in the item's procedure")
    handled_by: str | None = Field(default=None, description="the department that handles it now")
    answer_by: str | None = Field(default=None, description="the applicant's last day to answer")
    delivered_by: str | None = None
    due: Due | None = None
    filed_hall: str | None = Field(default=None, description="the counter, if it is another region's")
    papers: str | None = Field(default=None, description="where the papers are that were handed in there")
    joint: str | None = Field(default=None, description="the joint case that it is a part of")
    form: dict[str, Any] | None = None
    progress_code: str | None = Field(
        default=None, description="for the applicant: shows the progress to whoever has it, without signing in"
    )


class CaseList(BaseModel):
    items: list[Case]
    next: str | None


class PersonSearch(Body):
    id_number: Annotated[Text, Field(min_length=1, max_length=40, description="as on the card")]


class PersonCases(BaseModel):
    items: list[Case]
    is_whole: bool = Field(description="there are no older ones")


class HistoryEntry(BaseModel):
    sequence: int
    at: str
    event: str
    channel: str
    actor: str
    note: str | None
    details: dict[str, Any] | None = None
    hall: str | None = Field(default=None, description="at whose counter")


class History(BaseModel):
    items: list[HistoryEntry]
    next: str | None


class Rating(BaseModel):
    number: str
    score: int
    comment: str | None
    at: str


class RatingStatistics(BaseModel):
    items: list[dict[str, Any]]
    next: str | None


class InboxEntry(BaseModel):
    id: str
    at: str
    event: str
    number: str | None
    item: str | None
    subject: LanguageText
    body: LanguageText
    read: bool
    notice: str | None = Field(default=None, description="of a change that its owner may refuse, on the web")


class Inbox(BaseModel):
    items: list[InboxEntry]
    next: str | None


class LookReport(BaseModel):
    state: str = Field(description="`open`, or `answered` by an auditor")
    reported_at: str
    due_at: str
    answered_at: str | None
    reason: str | None = Field(description="what the citizen wrote")
    answer: str | None


class AccessEntry(BaseModel):
    id: str
    at: str
    role: str = Field(description="a staff role, `program`, `client` (a program the citizen gave access) or `agent`")
    name: str | None = Field(description="of an agent; staff are named by role and department")
    department: str | None
    channel: str
    client: str = Field(description="the name of the program through which it was")
    client_id: str | None = None
    what: str
    number: str | None
    purpose: str
    hall: str | None = Field(default=None, description="at whose counter")
    detail: str | None = Field(default=None, description="of a change of the account as staff")
    viewer: str | None = Field(default=None, description="the person's or the program's subject: for auditors only")
    report: LookReport | None = Field(default=None, description="what the citizen has reported of it: in one's own log")


class AccessLog(BaseModel):
    items: list[AccessEntry]
    next: str | None


class WrongPlace(BaseModel):
    pointer: str | None = Field(default=None, description="JSON pointer (RFC 6901) into the body")
    parameter: str | None = None
    detail: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongPlace] | None = None


_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "What is wrong and what to do", "content": _PROBLEM},
    503: {"description": "Come back after `Retry-After`", "content": _PROBLEM},
}
"""What every operation may answer besides."""
