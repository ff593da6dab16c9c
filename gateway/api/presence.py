"""Proof that a citizen stands before a clerk: the `subject_token` of a token exchange (RFC 8693) at the hall."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.presence_schemas import CardReading, CodeReading, CodeSending, CodeSent, PresenceProof
from gateway.api.schemas import PROBLEMS

router = APIRouter(tags=["presence"], responses=PROBLEMS)


@router.post("/presence", status_code=201, response_model=PresenceProof)
async def prove_presence(services: Services, actor: CasesActor, reading: CardReading | CodeReading) -> Response:
    """Only for a clerk at the hall. `presence_token` works once, for this clerk, within two minutes."""
    if isinstance(reading, CardReading):
        proof = await services.call("identity.prove_presence", reading.id_number, actor=actor)
    else:
        arguments = (reading.challenge, reading.code)
        proof = await services.call("identity.prove_presence_by_code", *arguments, actor=actor)
    return JSONResponse(proof, status_code=201)


@router.post("/presence/codes", status_code=202, response_model=CodeSent)
async def send_presence_code(services: Services, actor: CasesActor, sending: CodeSending) -> Response:
    """Sent if the phone is a confirmed one; whether it is, nobody hears."""
    sent = await services.call("identity.send_presence_code", sending.phone, actor=actor)
    return JSONResponse(sent, status_code=202)
