"""How attachments look to a reader: plain JSON, times in UTC. Where the bytes stand is told to the gateway alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.files import DEFAULT_TYPES, MAX_BYTES
from services.cases.attachments import domain
from services.cases.attachments.domain import Attachment, Document
from services.cases.views import time_view


def attachment_view(attachment: Attachment) -> dict[str, Any]:
    return {
        "id": attachment.id,
        "document": attachment.document,
        "name": attachment.name,
        "length": attachment.length,
        "received": attachment.received,
        "status": attachment.status,
        "fault": attachment.fault,
        "media_type": attachment.media_type,
        "sha256": attachment.sha256,
        "channel": attachment.channel,
        "created_at": time_view(attachment.created_at),
        "expires_at": time_view(attachment.expires_at) if attachment.status == domain.UPLOADING else None,
    }


def to_check_view(attachment: Attachment, document: Document | None) -> dict[str, Any]:
    """For the gateway: with the objects, and what the document takes."""
    return attachment_view(attachment) | {
        "parts": [list(part) for part in attachment.parts],
        "extension": attachment.extension,
        "types": list(document.types if document else DEFAULT_TYPES),
        "most_bytes": document.most_bytes if document else MAX_BYTES,
    }


def documents_view(item: Mapping[str, Any], attachments: Sequence[Attachment]) -> dict[str, Any]:
    """Each document of the item with its files, and what is missing of the applicant's own."""
    present = {each.document for each in attachments if each.status in domain.HANDED_IN}
    lacking = domain.missing(item, present)
    asked = [
        {
            "code": document.code,
            "types": list(document.types),
            "most": document.most,
            "most_bytes": document.most_bytes,
            "files": [attachment_view(each) for each in attachments if each.document == document.code],
        }
        for document in domain.documents_of(item).values()
    ]
    return {"asked": asked, "missing": list(lacking.now), "may_follow": list(lacking.later)} | {
        "until_acceptance": list(lacking.by_acceptance)
    }
