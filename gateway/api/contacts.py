"""How accounts are reached, for the platform's own programs."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import ContactsActor, Services
from gateway.api.schemas import PROBLEMS, ContactsQuestion, StaffQuestion

router = APIRouter(tags=["contacts"], responses=PROBLEMS)


@router.post("/contacts", response_model=dict[str, dict[str, str]])
async def get_contacts(services: Services, actor: ContactsActor, question: ContactsQuestion) -> Response:
    """A read with a body: hundreds of subjects do not fit into an address, and addresses are logged."""
    return JSONResponse(await services.call("identity.get_contacts", question.subjects, actor=actor))


@router.post("/contacts/staff", response_model=list[str])
async def list_staff_of(services: Services, actor: ContactsActor, question: StaffQuestion) -> Response:
    """The accounts of who works in a role, in a department if one is named: subjects, to be told something."""
    return JSONResponse(await services.call("identity.list_staff_of", question.role, question.department, actor=actor))
