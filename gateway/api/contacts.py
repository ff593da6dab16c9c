"""How accounts are reached, for the platform's own programs."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import ContactsActor, Services
from gateway.api.schemas import PROBLEMS, ContactsQuestion

router = APIRouter(tags=["contacts"], responses=PROBLEMS)


@router.post("/contacts", response_model=dict[str, dict[str, str]])
async def get_contacts(services: Services, actor: ContactsActor, question: ContactsQuestion) -> Response:
    """A read with a body: hundreds of subjects do not fit into an address, and addresses are logged."""
    return JSONResponse(await services.call("identity.get_contacts", question.subjects, actor=actor))
