"""Joint cases: one form that files several items, one progress. Each part is a case at `/cases` as well."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.api.callers import CasesActor, Services
from gateway.api.cases import IdempotencyKey
from gateway.api.joint_schemas import JointAction, JointFiling, JointList, WholeJoint
from gateway.api.schemas import PROBLEMS, Cursor, Limit

router = APIRouter(prefix="/joint-cases", tags=["joint cases"], responses=PROBLEMS)


@router.post("", status_code=201, response_model=WholeJoint)
async def submit_joint_case(
    services: Services, actor: CasesActor, filing: JointFiling, idempotency_key: IdempotencyKey = None
) -> Response:
    # with a key of ours at least the gateway itself may send the filing again when the broker dies under it
    key = idempotency_key or str(uuid.uuid4())
    said: tuple[Any, ...] = (filing.item, filing.form, key, filing.item_version)
    if filing.consents:
        said = (*said, filing.documents is not None, filing.documents, filing.consents)
    elif filing.documents is not None:
        said = (*said, True, filing.documents)
    joint = await services.call("cases.submit_joint_case", *said, actor=actor)
    return JSONResponse(joint, status_code=201, headers={"Location": f"/api/v1/joint-cases/{joint['number']}"})


@router.get("", response_model=JointList)
async def list_joint_cases(services: Services, actor: CasesActor, cursor: Cursor = None, limit: Limit = 20) -> Response:
    """The caller's own, the newest first."""
    return JSONResponse(await services.call("cases.list_joint_cases", cursor, limit, actor=actor))


@router.get("/{number:code}", response_model=WholeJoint)
async def get_joint_case(services: Services, actor: CasesActor, number: str) -> Response:
    return JSONResponse(await services.call("cases.get_joint_case", number, actor=actor))


@router.post("/{number:code}/actions", response_model=WholeJoint)
async def act_on_joint_case(services: Services, actor: CasesActor, number: str, action: JointAction) -> Response:
    """`withdraw` all or one part; `correct` a part that has not begun. One that has is corrected at `/cases`."""
    asked = (number, action.action, action.part, action.form)
    return JSONResponse(await services.call("cases.act_on_joint_case", *asked, actor=actor))
