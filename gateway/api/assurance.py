"""Levels of assurance, for the programs of the counter."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.assurance_schemas import AssuranceRaised, CardSeen
from gateway.api.callers import CasesActor, Services
from gateway.api.schemas import PROBLEMS

router = APIRouter(tags=["assurance"], responses=PROBLEMS)


@router.post("/assurance", response_model=AssuranceRaised)
async def raise_assurance(services: Services, actor: CasesActor, seen: CardSeen) -> Response:
    """Only for a clerk at the hall, who has seen the card of whoever stands there: their account rises to level 3."""
    raised = await services.call("identity.raise_assurance", seen.username, seen.id_number, actor=actor)
    return JSONResponse(raised)
