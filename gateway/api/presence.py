"""Proof that a citizen stands before a clerk: the `subject_token` of a token exchange (RFC 8693) at the hall."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.presence_schemas import PresenceProof, PresenceReading
from gateway.api.schemas import PROBLEMS

router = APIRouter(tags=["presence"], responses=PROBLEMS)


@router.post("/presence", status_code=201, response_model=PresenceProof)
async def prove_presence(services: Services, actor: CasesActor, reading: PresenceReading) -> Response:
    """Only for a clerk at the hall. `presence_token` works once, for this clerk, within two minutes."""
    proof = await services.call("identity.prove_presence", reading.id_number, actor=actor)
    return JSONResponse(proof, status_code=201)
