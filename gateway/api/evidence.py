"""Evidence: what is fetched for a case, and what sources are asked. `cases` decides who may see and answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from contracts.actors import Actor
from gateway.api.callers import CasesActor, Services, get_source
from gateway.api.cases import IfMatch, Purpose
from gateway.api.evidence_schemas import (
    EvidenceAnswer,
    EvidenceDecision,
    EvidenceList,
    EvidenceRequest,
    EvidenceRequestList,
    EvidenceState,
    OwnEvidenceList,
)
from gateway.api.schemas import PROBLEMS, Cursor, Limit
from gateway.api.versions import named_in

router = APIRouter(tags=["evidence"], responses=PROBLEMS)

SourceActor = Annotated[Actor, Depends(get_source)]
NOT_KEPT = {"Cache-Control": "no-store"}


@router.get("/cases/{number:code}/evidence", response_model=EvidenceList)
async def list_evidence(services: Services, actor: CasesActor, number: str, purpose: Purpose = None) -> Response:
    """What is fetched for a case, or could be with its applicant's consent. A look, for anybody else who reads it."""
    asked = (number,) if purpose is None else (number, purpose)
    return JSONResponse(await services.call("cases.list_evidence", *asked, actor=actor), headers=NOT_KEPT)


@router.post("/cases/{number:code}/evidence/{document:code}", response_model=EvidenceState)
async def decide_on_evidence(
    services: Services,
    actor: CasesActor,
    number: str,
    document: str,
    decision: EvidenceDecision,
    if_match: IfMatch = None,
) -> Response:
    """The applicant's: `consent`, then `use` or `decline` what came, or `withdraw` the consent.

    `correct` puts their form right by what came, and needs `If-Match` with the version of the case.
    """
    if decision.action == "consent":
        state = await services.call("cases.consent_to_evidence", number, document, actor=actor)
    elif decision.action == "correct":
        asked = (number, document, decision.fields, named_in(if_match))
        state = await services.call("cases.correct_by_evidence", *asked, actor=actor)
    else:
        said = (decision.action, decision.reason) if decision.reason else (decision.action,)
        state = await services.call("cases.decide_on_evidence", number, document, *said, actor=actor)
    return JSONResponse(state)


@router.get("/evidence", response_model=OwnEvidenceList)
async def list_own_evidence(
    services: Services, actor: CasesActor, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """What the citizen has consented to, the newest first."""
    return JSONResponse(await services.call("cases.list_own_evidence", cursor, limit, actor=actor))


@router.get("/evidence/requests", response_model=EvidenceRequestList)
async def list_requests(services: Services, actor: SourceActor, cursor: Cursor = None, limit: Limit = 20) -> Response:
    """What the caller's department or organisation has not answered, the most urgent first."""
    return JSONResponse(await services.call("cases.list_evidence_requests", cursor, limit, actor=actor))


@router.get("/evidence/requests/{id:code}", response_model=EvidenceRequest)
async def get_request(services: Services, actor: SourceActor, id: str) -> Response:  # noqa: A002 - as the path says it
    """One request, with what it is found by: the citizen reads in their access log that it was looked at."""
    return JSONResponse(await services.call("cases.get_evidence_request", id, actor=actor), headers=NOT_KEPT)


@router.post("/evidence/{id:code}/answer", response_model=EvidenceState)
async def answer(services: Services, actor: SourceActor, id: str, answer: EvidenceAnswer) -> Response:  # noqa: A002
    """What the source has. The same answer again changes nothing; another one is 409."""
    said = answer.model_dump(mode="json", exclude_none=True)
    return JSONResponse(await services.call("cases.answer_evidence", id, said, actor=actor))
