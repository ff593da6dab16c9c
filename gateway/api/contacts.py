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
    """The accounts of who works in a role, in a department if one is named: subjects, to be told something.

    An officer who works at a hall sees the cases of its region, and is told of no other.
    """
    staff = await services.call("identity.list_staff_of", question.role, question.department, actor=actor)
    elsewhere: list[str] = []
    if question.region is not None and any(each["hall"] for each in staff):
        elsewhere = await services.call("cases.list_halls_without", question.region, actor=actor)
    return JSONResponse([each["subject"] for each in staff if each["hall"] not in elsewhere])
