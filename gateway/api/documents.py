"""Documents of drafts and cases: their files, handed in by a form, and read. Resumable uploads are in `uploads`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from contracts.files import MAX_BYTES
from gateway.api.callers import CasesActor, Services, Stored
from gateway.api.cases import Purpose
from gateway.api.schemas import PROBLEMS, Code
from gateway.files.multipart import FileForm

router = APIRouter(tags=["documents"], responses=PROBLEMS)

DocumentCode = Annotated[
    Code | None, Query(description="the document's code at the service item; or a field of the form, before the file")
]
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "document": {"type": "string"},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            }
        },
    }
}


class File(BaseModel):
    id: str
    document: str
    name: str
    length: int
    received: int
    status: str = Field(description="uploading, received (not checked yet, nobody reads it), clean, refused")
    fault: str | None
    media_type: str | None
    sha256: str | None
    channel: str
    created_at: str
    expires_at: str | None


class AskedDocument(BaseModel):
    code: str
    types: list[str]
    most: int
    most_bytes: int = MAX_BYTES
    files: list[File]


class Documents(BaseModel):
    asked: list[AskedDocument]
    missing: list[str] = Field(description="required of the applicant and not there")
    until_acceptance: list[str] = Field(
        default=[],
        description="those of `missing` that a case may be filed without; the department needs them to take it up",
    )
    may_follow: list[str] = Field(description="the same, but they may follow after a provisional acceptance")


@router.get("/drafts/{draft:code}/documents", response_model=Documents)
async def list_draft_documents(services: Services, actor: CasesActor, draft: str) -> Response:
    return JSONResponse(await services.call("cases.list_documents", {"draft": draft}, actor=actor))


@router.get("/cases/{number:code}/documents", response_model=Documents)
async def list_case_documents(services: Services, actor: CasesActor, number: str, purpose: Purpose = None) -> Response:
    asked = ({"number": number},) if purpose is None else ({"number": number}, purpose)
    return JSONResponse(await services.call("cases.list_documents", *asked, actor=actor))


@router.post("/drafts/{draft:code}/documents", status_code=201, response_model=File, openapi_extra=FORM)
async def add_to_draft(
    request: Request, services: Services, actor: CasesActor, files: Stored, draft: str, document: DocumentCode = None
) -> Response:
    form = FileForm(request)
    await form.begin()
    return await _taken(request, form, actor, files, {"draft": draft}, document)


@router.post("/cases/{number:code}/documents", status_code=201, response_model=File, openapi_extra=FORM)
async def add_to_case(
    request: Request, services: Services, actor: CasesActor, files: Stored, number: str, document: DocumentCode = None
) -> Response:
    form = FileForm(request)
    await form.begin()
    return await _taken(request, form, actor, files, {"number": number}, document)


@router.get("/joint-cases/{number:code}/documents", response_model=Documents)
async def list_joint_documents(services: Services, actor: CasesActor, number: str) -> Response:
    """Of all parts, for the applicant; at `/cases/{number}/documents` each department reads those of its part."""
    return JSONResponse(await services.call("cases.list_documents", {"joint": number}, actor=actor))


@router.post("/joint-cases/{number:code}/documents", status_code=201, response_model=File, openapi_extra=FORM)
async def add_to_joint_case(
    request: Request, services: Services, actor: CasesActor, files: Stored, number: str, document: DocumentCode = None
) -> Response:
    """Once, for every part that asks for the document."""
    form = FileForm(request)
    await form.begin()
    return await _taken(request, form, actor, files, {"joint": number}, document)


async def _taken(
    request: Request,
    form: FileForm,
    actor: CasesActor,
    files: Stored,
    target: dict[str, str],
    document: str | None,
) -> Response:
    code = document or form.fields.get("document", "")
    file = await files.take_form(request, form, actor, target, code)
    return JSONResponse(file, 201, headers={"Location": f"/api/v1/documents/{file['id']}"})


@router.get("/documents/{file:code}", response_class=Response, responses={200: {"content": {"*/*": {}}}})
async def read_document(
    services: Services, actor: CasesActor, files: Stored, file: str, purpose: Purpose = None
) -> Response:
    """The file itself, to be saved and not shown. 409 while it has not been checked."""
    asked = (file,) if purpose is None else (file, purpose)
    return await files.give_out(await services.call("cases.get_attachment", *asked, actor=actor))


@router.delete("/documents/{file:code}", status_code=204)
async def delete_document(services: Services, actor: CasesActor, file: str) -> Response:
    await services.call("cases.delete_attachment", file, actor=actor)
    return Response(status_code=204)
