"""The shapes of evidence in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from gateway.api.schemas import Body, Code, Form, LanguageText, Text

EvidenceStatus = Literal[
    "wanted", "asked", "provided", "used", "declined", "not-found", "needs-citizen", "overdue", "ended"
]

CheckOutcome = Literal["same", "differs", "missing"]


class EvidenceDecision(Body):
    action: Literal["consent", "use", "decline", "withdraw", "correct"]
    fields: list[Code] | None = Field(
        default=None,
        max_length=50,
        description="with `correct`: which fields of the form take over what the evidence says, of those that differ;"
        " without it all that do",
    )
    reason: Annotated[Text, Field(max_length=500)] | None = Field(
        default=None, description="with `use`: why it differs from the form, in the applicant's words"
    )


class EvidenceAnswer(Body):
    number: Code = Field(description="the case of the request: who mixes up two requests is told so")
    asked_at: Annotated[Text, Field(max_length=40)] | None = Field(
        default=None,
        description="as the request says it: 422 if it was withdrawn and asked for anew since, maybe with other keys",
    )
    result: Literal["provided", "not-found", "needs-citizen"]
    fields: Form | None = Field(default=None, description="with `provided`: what it says")
    valid_until: Annotated[Text, Field(max_length=10)] | None = Field(
        default=None, description="with `provided`: its last day (ISO 8601), if it has one", examples=["2027-03-01"]
    )
    reason: Annotated[Text, Field(max_length=500)] | None = Field(
        default=None, description="with `needs-citizen`: what the applicant is to do; they read it"
    )


class EvidenceState(BaseModel):
    id: str
    status: EvidenceStatus


class ComparedField(BaseModel):
    field: str
    title: LanguageText
    values: dict[str, LanguageText]
    outcome: CheckOutcome
    said: str | None = Field(description="in the form")
    found: str | None = Field(description="in the evidence")


class EvidenceCheck(BaseModel):
    """The mutual check of what the evidence says with the form. A difference refuses nothing."""

    fields: list[ComparedField]
    differs: bool
    reason: str | None = Field(description="what the applicant says of the differences")


class Evidence(BaseModel):
    id: str | None
    document: str
    paper: str
    source_kind: Literal["department", "organisation"]
    source: str
    source_name: LanguageText | None
    status: EvidenceStatus
    may: list[Literal["consent", "use", "decline", "withdraw", "correct"]] = Field(
        description="what its applicant may do now"
    )
    consented_at: str | None
    asked_at: str | None
    due_at: str | None
    answered_at: str | None
    valid_until: str | None
    origin: Literal["certificate", "evidence"] | None = Field(
        description="where it was taken from, if nobody was asked"
    )
    reason: str | None
    fields: dict[str, Any] = Field(description="empty for anybody but the applicant until it is used")
    labels: dict[str, Any]


class CheckedEvidence(Evidence):
    is_taken_back: bool = Field(
        default=False, description="the certificate that it was taken from was revoked or replaced since"
    )
    check: EvidenceCheck


class EvidenceList(BaseModel):
    items: list[CheckedEvidence]
    next: str | None


class OwnEvidence(Evidence):
    number: str
    item: str
    item_name: LanguageText
    paper_name: LanguageText
    consented_until: str | None


class OwnEvidenceList(BaseModel):
    items: list[OwnEvidence]
    next: str | None


class ListedRequest(BaseModel):
    id: str
    number: str
    item: str
    item_name: LanguageText
    paper: str
    paper_name: LanguageText
    status: EvidenceStatus
    asked_at: str | None
    due_at: str | None


class EvidenceRequestList(BaseModel):
    items: list[ListedRequest]
    next: str | None


class EvidenceRequest(ListedRequest):
    keys: dict[str, str] = Field(description="what it is found by; empty when no answer is wanted any more")
    labels: dict[str, Any] = {}
    form: dict[str, Any] | None = Field(
        default=None,
        description="what an answer may say: `properties` (JSON Schema 2020-12) and which are `required`; null if no"
        " item and no kind of evidence says",
    )
