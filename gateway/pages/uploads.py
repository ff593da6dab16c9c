"""Resumable uploads from the pages' script: the protocol of `gateway.api.uploads`, for whoever is signed in here."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from contracts.actors import Actor
from contracts.errors import NotPermitted, SessionEnded
from contracts.files import FAULTS
from gateway.api import uploads
from gateway.api.uploads import Tus
from gateway.files.service import Files
from gateway.pages.visits import Visit, Visited

router = APIRouter(prefix="/uploads")


@router.post("")
async def create_upload(visit: Visited, _: Tus) -> Response:
    actor = _actor_of(visit)
    said = uploads.metadata(visit.request.headers.get("upload-metadata", ""))
    # as of every form: what is meant for one must not be handed in for another
    if said.get("acting", "") != (visit.acting.mandate if visit.acting else ""):
        raise NotPermitted("attach")
    made = await uploads.create_upload(visit.rpc, actor, visit.request, None)
    made.headers["Location"] = f"{visit.place.base}/uploads/{made.headers['Location'].rpartition('/')[2]}"
    return made


@router.head("/{upload:code}")
async def get_offset(visit: Visited, upload: str, _: Tus) -> Response:
    return await uploads.get_offset(visit.rpc, _actor_of(visit), upload, None)


@router.patch("/{upload:code}")
async def add_bytes(visit: Visited, upload: str, _: Tus) -> Response:
    return await uploads.add_bytes(visit.rpc, _actor_of(visit), _files_of(visit), visit.request, upload, None)


@router.delete("/{upload:code}")
async def end_upload(visit: Visited, upload: str, _: Tus) -> Response:
    return await uploads.end_upload(visit.rpc, _actor_of(visit), upload, None)


@router.get("/{upload:code}")
async def get_outcome(visit: Visited, upload: str) -> Response:
    """What has become of it: `received` while it is being checked, then `clean` or `refused` with its fault."""
    file = await visit.rpc.call("cases.get_upload", upload, actor=_actor_of(visit))
    found: dict[str, Any] = {"status": file["status"], "fault": file["fault"] if file["fault"] in FAULTS else None}
    return JSONResponse(found)


def _actor_of(visit: Visit) -> Actor:
    """A script cannot follow to where one signs in: it is told, and tells."""
    if visit.visitor is None:
        raise SessionEnded
    return visit.actor


def _files_of(visit: Visit) -> Files:
    files: Files = visit.request.app.state.files
    return files
