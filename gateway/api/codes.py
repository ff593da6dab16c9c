"""One-time codes and notices that wait to be sent, for the platform's own program that sends them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CodesActor, Services
from gateway.api.schemas import PROBLEMS, CodesQuestion, SecurityNoticesQuestion

router = APIRouter(tags=["codes"], responses=PROBLEMS)


@router.post("/codes", response_model=dict[str, dict[str, Any]])
async def get_codes(services: Services, actor: CodesActor, question: CodesQuestion) -> Response:
    """Which of these are still worth sending. A read with a body, as `/contacts` is."""
    return JSONResponse(await services.call("identity.get_codes", question.challenges, actor=actor))


@router.post("/security-notices", response_model=dict[str, dict[str, Any]])
async def get_security_notices(services: Services, actor: CodesActor, question: SecurityNoticesQuestion) -> Response:
    """What is to be told of changes of how accounts are proved, and where. A read with a body."""
    return JSONResponse(await services.call("identity.get_security_notices", question.notices, actor=actor))


@router.post("/codes/sent", status_code=204)
async def confirm_sent(services: Services, actor: CodesActor, question: CodesQuestion) -> Response:
    """They were sent, and are told to nobody again."""
    await services.call("identity.confirm_codes_sent", question.challenges, actor=actor)
    return Response(status_code=204)
