"""The shape of a service item, as OpenAPI shows it: what `docs/service-items.md` tells those who write one."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from contracts.actors import CHANNELS
from gateway.api.schemas import LanguageText


class Fee(BaseModel):
    amount: str = Field(description="in yuan, as a decimal number")
    text: LanguageText


class ItemDocument(BaseModel):
    """One document that the item asks for. Any one of `proofs` serves."""

    code: str
    name: LanguageText
    required: bool
    source: Literal["applicant", "department", "platform"] = Field(
        description="who brings it: what departments or the platform have is not demanded of the applicant"
    )
    electronic: bool = Field(description="whether an electronic certificate serves")
    proofs: list[str]
    may_follow: bool | None = None
    may_be_declared: bool | None = None
    hint: LanguageText | None = None
    accept: list[str] | None = Field(default=None, description="types of file; pdf, jpeg and png unless it says so")
    files: int | None = Field(default=None, description="at most so many")
    megabytes: int | None = Field(default=None, description="at most so large, each")
    needed: Literal["filing", "acceptance"] | None = None
    keys: dict[str, str] | None = Field(default=None, description="how it is fetched: its key, the field of the form")
    compare: dict[str, str] | None = None
    answer_days: int | None = Field(default=None, description="working days that its source has")


class ItemStep(BaseModel):
    """One step of the procedure; the first is the start, one without `next` is an end."""

    code: str
    name: LanguageText
    role: Literal["applicant", "clerk", "officer", "platform"]
    next: list[str]
    days: int | None = Field(default=None, description="at most so many, in the item's unit")
    department: str | None = Field(default=None, description="another one than the item's own")
    actions: list[str] | None = None
    delegates: list[str] | None = None


class ItemResult(BaseModel):
    code: str
    name: LanguageText
    form: Literal["certificate", "decision", "record", "payment"]
    electronic: bool
    delivery: list[str] | None = None
    valid_months: int | None = None
    fields: list[str] | None = Field(default=None, description="answers of the form that it states")
    replaces_by: list[str] | None = Field(
        default=None, description="a newer one takes the place of the holder's earlier ones that state the same there"
    )


class Question(BaseModel):
    question: LanguageText
    answer: LanguageText


class CrossRegion(BaseModel):
    scope: Literal["none", "city", "province", "nation", "regions"]
    regions: list[str] | None = None
    text: LanguageText | None = None


class ProvisionalAcceptance(BaseModel):
    open: bool
    days: int | None = Field(default=None, description="working days for what follows")


class Commitment(BaseModel):
    """Notification and commitment: declaring instead of proving."""

    open: bool
    text: LanguageText | None = None


class FetchedDocument(BaseModel):
    document: str
    name: LanguageText
    paper: str
    source_kind: str
    source: str
    source_name: LanguageText | None
    keys: list[str] = Field(description="the fields of the form that its source is given to find it by")


class Item(BaseModel):
    code: str
    version: int | None = None
    online: bool | None = Field(default=None, description="whether a case can be filed here")
    name: LanguageText
    summary: LanguageText | None = None
    kind: str
    department: str
    department_name: LanguageText | None = None
    region: str = Field(description="GB/T 2260")
    region_name: LanguageText | None = None
    level: str | None = None
    audience: str | None = None
    promised_days: int | None = None
    statutory_days: int | None = None
    day_unit: Literal["working", "calendar"] | None = None
    assurance: int | None = Field(default=None, description="how sure it must be who applies")
    fee: Fee | None = None
    legal_basis: LanguageText | None = None
    documents: list[ItemDocument] | None = None
    steps: list[ItemStep] | None = None
    result: ItemResult | None = None
    channels: list[Literal[CHANNELS]] | None = None  # type: ignore[valid-type]
    questions: list[Question] | None = None
    cross_region: CrossRegion | None = None
    provisional_acceptance: ProvisionalAcceptance | None = None
    commitment: Commitment | None = None
    form: dict[str, Any] | None = Field(default=None, description="a JSON Schema (2020-12)")
    layout: list[dict[str, Any]] | None = Field(default=None, description="the form's sections and their fields")
    example: dict[str, Any] | None = Field(default=None, description="a form that passes its own schema")
    official_code: str | None = Field(default=None, description="in the official list")
    main_item: LanguageText | None = Field(default=None, description="in the official list, what it is a part of")
    keywords: dict[str, list[str]] | None = Field(default=None, description="words that people use for it")
    papers: dict[str, Any] | None = Field(default=None, description="that no item gives and this one asks for")
    parts: list[dict[str, Any]] | None = Field(default=None, description="of a joint item: file at `/joint-cases`")
    fetched: list[FetchedDocument] | None = Field(
        default=None, description="documents that are fetched with the applicant's consent, and from whom"
    )


class ItemList(BaseModel):
    """Each with what a list shows of it."""

    items: list[Item]
    next: str | None
    total: int | None = None
    did_you_mean: LanguageText | None = Field(
        default=None, description="what was looked for instead, where nothing matched as it was written"
    )
