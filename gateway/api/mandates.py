"""Mandates: who may act for whom, and guardianships as a clerk confirms them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.mandate_schemas import Confirmation, ConfirmedGuardianship, Mandate, MandateGrant, Mandates
from gateway.api.schemas import PROBLEMS

router = APIRouter(tags=["mandates"], responses=PROBLEMS)


@router.get("/mandates", response_model=Mandates)
async def list_mandates(services: Services, actor: CasesActor) -> Response:
    """Those that I gave and those that I have. An agent exchanges a live one for a token (RFC 8693)."""
    return JSONResponse(await services.call("identity.list_mandates", actor=actor))


@router.post("/mandates", status_code=201, response_model=Mandate)
async def grant_mandate(services: Services, actor: CasesActor, grant: MandateGrant) -> Response:
    """The answer is the same whether there is such a person or not; they find it among their own and accept it."""
    arguments = (grant.agent, grant.item, grant.number, grant.until)
    return JSONResponse(await services.call("identity.grant_mandate", *arguments, actor=actor), status_code=201)


@router.post("/mandates/{mandate:code}/accept", status_code=204)
async def accept_mandate(services: Services, actor: CasesActor, mandate: str) -> Response:
    await services.call("identity.accept_mandate", mandate, actor=actor)
    return Response(status_code=204)


@router.delete("/mandates/{mandate:code}", status_code=204)
async def end_mandate(services: Services, actor: CasesActor, mandate: str) -> Response:
    """By either side, at any time. What it has opened ends within five minutes."""
    await services.call("identity.end_mandate", mandate, actor=actor)
    return Response(status_code=204)


@router.post("/guardianships", status_code=201, response_model=ConfirmedGuardianship)
async def confirm_guardianship(services: Services, actor: CasesActor, seen: Confirmation) -> Response:
    """Only for a clerk at the hall, who has seen both papers and the proof of the relation."""
    arguments = (seen.ward_id_number, seen.guardian_id_number, seen.ward_name, seen.until)
    answer = await services.call("identity.confirm_guardianship", *arguments, actor=actor)
    return JSONResponse(answer, status_code=201)
