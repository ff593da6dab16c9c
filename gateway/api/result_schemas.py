"""The shapes of results, as OpenAPI shows them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from gateway.api.schemas import Body, Code, LanguageText, Note


class _Result(BaseModel):
    number: str = Field(description="of the document")
    form: Literal["certificate", "decision"]
    decision: Literal["approved", "refused"]
    name: LanguageText
    item_name: LanguageText
    department: str
    department_name: LanguageText
    issued_on: str
    valid_until: str | None = Field(description="the last day on which it is good; none: without end")
    status: Literal["valid", "expired", "superseded", "revoked"]
    ended_at: str | None
    end_reason: str | None


class Certificate(_Result):
    result: str
    case: str
    item: str
    item_version: int
    paper: str = Field(description="its code in the catalogue, as documents name it in `proofs`")
    named: str | None = Field(description="whom it is about")
    code: str = Field(description="anyone who has it may verify the document")


class CertificateList(BaseModel):
    items: list[Certificate]
    next: str | None


class Download(BaseModel):
    at: str
    channel: str
    actor: str
    language: str
    hall: str | None = None


class ResultDetails(Certificate):
    delivered_by: str | None
    downloads: list[Download] = Field(description="who took it, the last fifty, newest first")
    may_revoke: bool
    reasons: list[str] = Field(description="why it may be revoked")


class Revocation(Body):
    reason: Code = Field(examples=["error", "false-statement", "ground-gone", "at-request", "misused"])
    note: Note


class MadeDocument(BaseModel):
    language: str
    sha256: str


class Verification(_Result):
    holder: str | None = Field(description="the first character of the name that is on it")
    documents: list[MadeDocument] = Field(description="the digests of the PDFs that were given out of it")
