"""What decisions give: the document of a case, one's certificates, and the verification that needs no token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.cases import Purpose
from gateway.api.result_schemas import CertificateList, ResultDetails, Revocation, Verification
from gateway.api.schemas import PROBLEMS, Cursor, Language, Limit
from gateway.certificates.giving import give_out
from gateway.languages import preferred

router = APIRouter(tags=["results"], responses=PROBLEMS)

ResultLanguage = Annotated[
    Language | None, Query(alias="lang", description="of the document; without it, by `Accept-Language`")
]
NOT_KEPT = {"Cache-Control": "no-store"}


@router.get(
    "/cases/{number:code}/result",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "a PDF (PDF/A-2a, PDF/UA-1)"}},
)
async def download_result(
    request: Request,
    services: Services,
    actor: CasesActor,
    number: str,
    lang: ResultLanguage = None,
    purpose: Purpose = None,
) -> Response:
    """The certificate or decision as a PDF. Who takes it, when and through what is written down for its holder.

    404 for a case without a decision; 409 for a result that was revoked or superseded.
    """
    language = lang or preferred(request.headers.get("accept-language", ""))
    base_url = request.app.state.settings.base_url
    return await give_out(services, actor, number, language, base_url, purpose=purpose)


@router.get("/cases/{number:code}/result/details", response_model=ResultDetails)
async def get_result(services: Services, actor: CasesActor, number: str, purpose: Purpose = None) -> Response:
    """The same in words, its verification code, and who took it."""
    asked = (number,) if purpose is None else (number, purpose)
    return JSONResponse(await services.call("cases.get_result", *asked, actor=actor), headers=NOT_KEPT)


@router.post("/cases/{number:code}/result/revocation", status_code=204)
async def revoke_result(services: Services, actor: CasesActor, number: str, revocation: Revocation) -> Response:
    """By an officer of the department that decided. From then on it verifies as revoked."""
    await services.call("cases.revoke_result", number, revocation.reason, revocation.note, actor=actor)
    return Response(status_code=204)


@router.get("/certificates", response_model=CertificateList)
async def list_certificates(
    services: Services, actor: CasesActor, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """Mine, newest first."""
    return JSONResponse(await services.call("cases.list_certificates", cursor, limit, actor=actor), headers=NOT_KEPT)


@router.get("/verify/{code}", response_model=Verification)
async def verify(services: Services, code: str) -> Response:
    """Whether a document is good, by the code that stands on it, typed in any way. No token, no personal data.

    Any wrong code is the same 404; too many of them from one address are 429.
    """
    return JSONResponse(await services.call("cases.get_verification", code[:100]), headers=NOT_KEPT)
