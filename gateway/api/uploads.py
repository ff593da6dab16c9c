"""Resumable uploads: the tus protocol 1.0.0, core and the extensions creation, checksum, termination, expiration.

Each request is a new object in the store, so a broken connection keeps what had come. Clauses are those of the
protocol's own text (tus.io, 1.0.0).
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import Response

from contracts.errors import InvalidInput, UploadMoved
from contracts.files import MAX_BYTES
from gateway.api.callers import CasesActor, Services, Stored
from gateway.api.schemas import PROBLEMS
from gateway.files.receiving import CHECKSUMS, part_name, receive, require_length
from gateway.files.refusal import FileRefused
from gateway.files.service import most_of, refusal
from gateway.files.store import in_thread

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,termination,expiration"
BYTES = "application/offset+octet-stream"
CHECKSUM_MISMATCH = 460

router = APIRouter(prefix="/uploads", tags=["documents"], responses=PROBLEMS)


async def require_version(request: Request) -> None:
    """If the version specified by the Client is not supported, the Server MUST respond with 412."""
    if request.headers.get("tus-resumable") != VERSION:
        raise HTTPException(412, headers={"Tus-Version": VERSION})


Tus = Annotated[None, Depends(require_version)]


@router.options("", include_in_schema=False)
async def describe() -> Response:
    """What is spoken here. Without a token, as a client asks before it has one."""
    said = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(MAX_BYTES),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }
    return Response(status_code=204, headers=said)


@router.post("", status_code=201, response_class=Response)
async def create_upload(services: Services, actor: CasesActor, request: Request, _: Tus) -> Response:
    """`Upload-Metadata` names `filename`, `document` (its code at the service item), and `draft`, `case` or `joint`."""
    said = metadata(request.headers.get("upload-metadata", ""))
    target = {"number": said.get("case", "")}
    target = next(({place: said[place]} for place in ("draft", "joint") if place in said), target)
    length = require_length(request.headers.get("upload-length"))
    if length > MAX_BYTES:
        # "If the length of the upload exceeds the maximum, the Server MUST respond with 413"
        raise HTTPException(413)
    wanted = (target, said.get("document"), said.get("filename"), length)
    file = await services.call("cases.begin_attachment", *wanted, actor=actor)
    if length > most_of(file):
        await services.call("cases.delete_attachment", file["id"], actor=actor)
        raise HTTPException(413)
    return Response(status_code=201, headers={"Location": f"/api/v1/uploads/{file['id']}", **_expires(file)})


@router.head("/{upload:code}", response_class=Response)
async def get_offset(services: Services, actor: CasesActor, upload: str, _: Tus) -> Response:
    file = await services.call("cases.get_upload", upload, actor=actor)
    lengths = {"Upload-Offset": str(file["received"]), "Upload-Length": str(file["length"])}
    return Response(status_code=200, headers=lengths | _expires(file))


@router.patch("/{upload:code}", status_code=204, response_class=Response)
async def add_bytes(
    services: Services, actor: CasesActor, files: Stored, request: Request, upload: str, _: Tus
) -> Response:
    """The bytes from `Upload-Offset` on, as `application/offset+octet-stream`; `Upload-Checksum` if one wishes."""
    if request.headers.get("content-type") != BYTES:
        raise HTTPException(415)
    offset = require_length(request.headers.get("upload-offset"))
    digest, expected = _checksum(request.headers.get("upload-checksum"))
    file = await services.call("cases.get_upload", upload, actor=actor)
    if file["status"] != "uploading" or file["received"] != offset:
        raise UploadMoved(file["received"])
    part = part_name(offset)
    try:
        came = await receive(request.stream(), files.store, file["id"], part, file["length"] - offset, digest)
    except FileRefused as error:
        raise refusal(error) from error
    if digest is not None and digest.digest() != expected:
        # "the Server MUST discard the data"
        await in_thread(files.store.remove_part, file["id"], part)
        raise HTTPException(CHECKSUM_MISMATCH)
    try:
        saved = await services.call("cases.receive_part", file["id"], offset, part, came, actor=actor)
    except (UploadMoved, InvalidInput):
        # somebody else has sent these bytes meanwhile
        await in_thread(files.store.remove_part, file["id"], part)
        raise
    if saved["status"] == "received":
        files.checker.check_soon(saved)
    return Response(status_code=204, headers={"Upload-Offset": str(saved["received"]), **_expires(saved)})


@router.delete("/{upload:code}", status_code=204, response_class=Response)
async def end_upload(services: Services, actor: CasesActor, upload: str, _: Tus) -> Response:
    await services.call("cases.delete_attachment", upload, actor=actor)
    return Response(status_code=204)


@router.post("/{upload:code}", include_in_schema=False)
async def override_method(
    services: Services, actor: CasesActor, files: Stored, request: Request, upload: str, _: Tus
) -> Response:
    """The X-HTTP-Method-Override header MUST be interpreted as the request's method."""
    match request.headers.get("x-http-method-override", "").upper():
        case "PATCH":
            return await add_bytes(services, actor, files, request, upload, None)
        case "DELETE":
            return await end_upload(services, actor, upload, None)
    raise HTTPException(405)


def metadata(header: str) -> dict[str, str]:
    """Pairs of a key and its value in base64, with commas between; a value may be left out."""
    said: dict[str, str] = {}
    for pair in header.split(",") if header else ():
        key, _, encoded = pair.strip().partition(" ")
        try:
            value = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise HTTPException(400) from None
        if not key or key in said:
            raise HTTPException(400)
        said[key] = value
    return said


def _checksum(header: str | None) -> tuple[Any, bytes]:
    """A digest to be fed and what it has to come to. Without the header: none."""
    if header is None:
        return None, b""
    algorithm, _, encoded = header.partition(" ")
    try:
        return CHECKSUMS[algorithm](), base64.b64decode(encoded, validate=True)
    except (KeyError, binascii.Error):
        raise HTTPException(400) from None


def _expires(file: dict[str, Any]) -> dict[str, str]:
    """As RFC 9110 writes dates, while something may still follow."""
    if file["expires_at"] is None:
        return {}
    return {"Upload-Expires": format_datetime(datetime.fromisoformat(file["expires_at"]), usegmt=True)}
