"""Drafts of who is signed in: begun on one channel, gone on with on another."""

from __future__ import annotations

import re
import uuid
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException
from starlette.responses import JSONResponse, Response

from contracts.errors import DraftChanged, ItemIsJoint, NotFound
from gateway.api.callers import CasesActor, Services
from gateway.api.draft_schemas import Draft, DraftBeginning, DraftList, DraftSaving, SavedDraft
from gateway.api.joint_schemas import WholeJoint
from gateway.api.schemas import PROBLEMS, Case, Code, Text

router = APIRouter(prefix="/drafts", tags=["drafts"], responses=PROBLEMS)

IfMatch = Annotated[
    Text | None,
    Header(max_length=100, description="the draft's `ETag`: if it has changed since, nothing is saved (412)"),
]
_ETAG = re.compile(r'"(0|[1-9][0-9]{0,9})"')


@router.post("", status_code=201, response_model=SavedDraft)
async def begin_draft(services: Services, actor: CasesActor, beginning: DraftBeginning) -> Response:
    draft = await services.call("cases.save_draft", str(uuid.uuid4()), beginning.item, beginning.form, 0, actor=actor)
    return _answered(draft, 201, {"Location": f"/api/v1/drafts/{draft['id']}"})


@router.get("", response_model=DraftList)
async def list_drafts(services: Services, actor: CasesActor, item: Code | None = None) -> Response:
    return JSONResponse(await services.call("cases.list_drafts", item, actor=actor))


@router.get("/{draft:code}", response_model=Draft)
async def get_draft(services: Services, actor: CasesActor, draft: str) -> Response:
    found = await services.call("cases.get_draft", draft, actor=actor)
    return _answered(found["draft"])


@router.patch("/{draft:code}", response_model=SavedDraft)
async def save_draft(
    services: Services, actor: CasesActor, draft: str, saving: DraftSaving, if_match: IfMatch = None
) -> Response:
    """Needs `If-Match` or `base`: a change that does not say what it was made on would overwrite others silently."""
    base, is_strict = _base_of(draft, saving.base, if_match)
    saved = await services.call("cases.save_draft", draft, None, saving.changes, base, is_strict, actor=actor)
    return _answered(saved)


@router.delete("/{draft:code}", status_code=204)
async def delete_draft(services: Services, actor: CasesActor, draft: str) -> Response:
    await services.call("cases.delete_draft", draft, actor=actor)
    return Response(status_code=204)


@router.post("/{draft:code}/renewal", response_model=Draft)
async def renew_draft(services: Services, actor: CasesActor, draft: str) -> Response:
    """Go on with the form of the version that is published now."""
    return _answered(await services.call("cases.renew_draft", draft, actor=actor))


@router.post("/{draft:code}/submission", status_code=201, response_model=Case | WholeJoint)
async def submit_draft(services: Services, actor: CasesActor, draft: str) -> Response:
    """File it as it stands. The draft becomes the case, or the joint case; asked again, the same is given."""
    try:
        case = await services.call("cases.submit_draft", draft, actor=actor)
    except (ItemIsJoint, NotFound):
        joint = await services.call("cases.submit_joint_draft", draft, actor=actor)
        return JSONResponse(joint, status_code=201, headers={"Location": f"/api/v1/joint-cases/{joint['number']}"})
    return JSONResponse(case, status_code=201, headers={"Location": f"/api/v1/cases/{case['number']}"})


def _base_of(draft: str, base: int | None, if_match: str | None) -> tuple[int, bool]:
    if if_match is not None:
        tag = _ETAG.fullmatch(if_match.strip())
        if tag is None:
            raise DraftChanged(draft, None)
        return int(tag[1]), True
    if base is None:
        raise HTTPException(428)
    return base, False


def _answered(draft: dict[str, object], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(draft, status_code=status, headers={"ETag": f'"{draft["revision"]}"', **(headers or {})})
