"""What happens to attachments. One function a use case, each one transaction's work.

The row comes first and every byte stands under its id, so whatever dies, there is no file that nobody knows of.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chassis.database import Session
from chassis.sealing import Seal
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, InvalidInput, NotPermitted, TooManyUploads, UploadMoved
from contracts.files import FAULTS, MAX_BYTES, MEDIA_TYPES
from services.cases import domain as case_rules
from services.cases import forms
from services.cases.attachments import domain, store
from services.cases.attachments.access import Place, require, require_mine, require_place
from services.cases.attachments.domain import Attachment, Document
from services.cases.attachments.views import attachment_view, to_check_view
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.drafts.access import id_in
from services.cases.joint import documents as joint_documents
from services.cases.joint import store as joint_store

CHECK_LEASE = timedelta(minutes=3)
"""So long whoever received a file has for checking it, before another may."""

MOST_AT_ONCE = 20


def begin_attachment(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    target: object,
    document: object,
    name: object,
    length: object,
    now: datetime,
) -> dict[str, Any]:
    """Make room for a file of at most `length` bytes, for a document of a draft or of a case that is still open."""
    place = require_place(session, actor, target)
    if place.status is not None and place.status not in case_rules.OPEN:
        raise ActionNotAllowed("attach", place.status)
    wanted = _require_document(session, catalogue, place, document)
    size = _require_length(length)
    uploading, unfiled = store.begin_one(session, place.applicant)
    domain.require_room(wanted, _there(session, seal, place), size)
    if uploading >= domain.MOST_UPLOADING:
        raise TooManyUploads(domain.MOST_UPLOADING)
    if place.draft and unfiled + size > domain.MOST_UNFILED_BYTES:
        raise InvalidInput([forms.fault("/file", "file.total", domain.MOST_UNFILED_BYTES // 2**20)])
    attachment = Attachment(
        id=str(uuid.uuid4()),
        applicant=place.applicant,
        draft=place.draft,
        number=place.number,
        document=wanted.code,
        name=domain.require_name(name),
        length=size,
        received=0,
        parts=(),
        status=domain.UPLOADING,
        fault=None,
        media_type=None,
        sha256=None,
        channel=case_rules.applicant_of(actor).channel,
        created_at=now,
        expires_at=now + domain.RESUMABLE_FOR,
        joint=place.joint,
    )
    store.insert(session, seal, attachment)
    return to_check_view(attachment, wanted)


def receive_part(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    attachment_id: str,
    offset: int,
    part: str,
    length: int,
    now: datetime,
    *,
    is_last: bool = False,
    outcome: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write down that bytes from `offset` on stand in the object `part`. What came elsewhere meanwhile stays.

    `is_last`: the length was not known before, this is all. `outcome` is that of the check, if there was one already.
    """
    attachment = require_mine(session, actor, require(session, seal, attachment_id, for_update=True))
    if attachment.status != domain.UPLOADING or attachment.received != offset:
        raise UploadMoved(attachment.received)
    received = offset + length
    document = _documents(session, catalogue, [attachment]).get(attachment.id)
    most = min(attachment.length, document.most_bytes if document else MAX_BYTES)
    if length < 0 or received > most or len(attachment.parts) >= domain.MOST_PARTS:
        raise InvalidInput([forms.fault("/file", "file", "too-large")])
    is_complete = is_last or received == attachment.length
    parts = (*attachment.parts, (domain.require_part(part), length)) if length else attachment.parts
    attachment = replace(
        attachment,
        received=received,
        length=received if is_last else attachment.length,
        parts=parts,
        status=domain.RECEIVED if is_complete else domain.UPLOADING,
        expires_at=now + domain.RESUMABLE_FOR,
    )
    store.save_received(session, attachment, now + CHECK_LEASE if is_complete else None)
    if outcome is not None and is_complete:
        attachment = _check(session, attachment, outcome, now)
    return to_check_view(attachment, document)


def save_checked(
    session: Session, seal: Seal, actor: Actor, attachment_id: str, outcome: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """What the check of a complete file found. Only the platform itself may say so."""
    _require_platform(actor)
    attachment = require(session, seal, attachment_id, for_update=True)
    if attachment.status == domain.RECEIVED:
        attachment = _check(session, attachment, outcome, now)
    return attachment_view(attachment)


def delete_attachment(session: Session, seal: Seal, actor: Actor, attachment_id: str) -> None:
    """Of a draft, any; of a case, what never became part of it: a file that was not complete, or was refused."""
    attachment = require_mine(session, actor, require(session, seal, attachment_id, for_update=True))
    if attachment.number is not None and attachment.status in domain.HANDED_IN:
        raise ActionNotAllowed("remove", attachment.status)
    store.abandon(session, attachment.id)


def take_over(session: Session, key: str | None, applicant: str, number: str) -> None:
    """What was attached to the draft belongs to the case that it has become."""
    draft = id_in(key)
    if draft is not None:
        store.bind(session, draft, applicant, number)


def take_over_joint(
    session: Session, key: str | None, applicant: str, documents: Sequence[str], *, number: str, joint: str
) -> None:
    """What was attached to the draft of a joint item is handed in once, for every part that asks for it.

    `number` is that of a part.
    """
    draft = id_in(key)
    if draft is not None:
        store.bind_joint(session, draft, applicant, documents, number=number, joint=joint)


def take_named(
    session: Session,
    applicant: str,
    item: dict[str, Any],
    ids: Sequence[str],
    *,
    number: str,
    joint: str | None = None,
) -> None:
    """Hand uploads of the applicant's drafts of the item in with the case; raise `InvalidInput` for each wrong one.

    What was attached to the draft that has become the case is with it already, and may be named besides.
    """
    named = store.lock_named(session, applicant, item["code"], ids, number=number, joint=joint)
    documents = domain.documents_of(item)
    found = [(each.document, each.status, each.fault) if (each := named.get(id_)) else (None, "", None) for id_ in ids]
    faults = [
        domain.fault_of_named(n, document if document in documents else None, status, fault)
        for n, (document, status, fault) in enumerate(found)
    ]
    if any(faults):
        raise InvalidInput([each for each in faults if each])
    taken = [each for each in named.values() if each.number is None]
    there = store.list_counted(session, number=number, joint=joint)
    counted = there + [(each.document, int(each.length)) for each in taken]
    if many := domain.faults_of_number(counted, documents):
        raise InvalidInput(many)
    store.bind_named(session, [each.id for each in taken], number=number, joint=joint)


def require_documents(item: dict[str, Any], present: Collection[str], *, is_whole: bool) -> None:
    """Raise `InvalidInput` for every document that the applicant has to hand in and that may not follow later.

    `is_whole`: those too that are needed by the acceptance only, and may be brought until then.
    """
    missing = domain.missing(item, present)
    lacking = missing.now if is_whole else missing.at_filing
    if lacking:
        raise InvalidInput([forms.fault(f"/documents/{code}", "document", code) for code in lacking])


def take_unchecked(
    session: Session, catalogue: Catalogue, seal: Seal, actor: Actor, now: datetime
) -> list[dict[str, Any]]:
    """Files whose check was cut off, or has to be tried again: for this caller alone, for some minutes."""
    _require_platform(actor)
    taken = store.take_unchecked(session, seal, now, CHECK_LEASE, MOST_AT_ONCE)
    documents = _documents(session, catalogue, taken)
    return [to_check_view(each, documents.get(each.id)) for each in taken]


def take_unwanted(session: Session, actor: Actor, now: datetime) -> list[str]:
    """Ids under which all bytes are to be removed: given up, expired, of a deleted draft, or refused."""
    _require_platform(actor)
    return [row.id for row in store.take_unwanted(session, now, CHECK_LEASE, MOST_AT_ONCE)]


def forget_attachments(session: Session, actor: Actor, ids: list[str]) -> None:
    _require_platform(actor)
    store.forget(session, [str(uuid.UUID(each)) for each in ids])


def _check(session: Session, attachment: Attachment, outcome: dict[str, Any], now: datetime) -> Attachment:
    fault = outcome.get("fault")
    if fault is not None and fault not in FAULTS:
        raise InvalidInput([forms.fault("/outcome/fault", "enum", list(FAULTS))])
    if fault is None and outcome.get("media_type") not in MEDIA_TYPES.values():
        raise InvalidInput([forms.fault("/outcome/media_type", "enum", list(MEDIA_TYPES.values()))])
    store.save_checked(session, attachment.id, outcome, now)
    return replace(
        attachment,
        status=domain.REFUSED if fault else domain.CLEAN,
        fault=fault,
        media_type=outcome.get("media_type"),
        sha256=outcome.get("sha256"),
    )


def _there(session: Session, seal: Seal, place: Place) -> list[Attachment]:
    if place.draft is not None:
        return store.list_of_draft(session, seal, place.draft)
    if place.joint is not None:
        return store.list_of_joint(session, seal, place.joint)
    return store.list_of_case(session, seal, place.number or "")


def _require_document(session: Session, catalogue: Catalogue, place: Place, code: object) -> Document:
    item = VERSIONS.get(session, catalogue, place.item, place.item_version)
    documents = domain.documents_of(joint_documents.described(catalogue, item))
    if place.joint is not None:
        shared = _of_joint(session, catalogue, place.joint, is_open=True)
        documents = {each: document for each, document in shared.items() if place.is_whole or each in documents}
    if not isinstance(code, str) or code not in documents:
        raise InvalidInput([forms.fault("/document", "enum", list(documents))])
    return documents[code]


def _of_joint(session: Session, catalogue: Catalogue, number: str, *, is_open: bool = False) -> dict[str, Document]:
    parts = joint_store.load_parts(session, number)
    return domain.documents_of(joint_documents.of_case(session, catalogue, parts, is_open=is_open))


def _documents(session: Session, catalogue: Catalogue, attachments: Sequence[Attachment]) -> dict[str, Document]:
    """By attachment; without those of nothing any more, or whose document a newer version of the item has dropped."""
    found = {}
    items = store.items_of(session, [each.id for each in attachments])
    for each in attachments:
        if each.id in items:
            found[each.id] = _documents_of(session, catalogue, each, items[each.id]).get(each.document)
    return {key: document for key, document in found.items() if document is not None}


def _documents_of(
    session: Session, catalogue: Catalogue, attachment: Attachment, item: tuple[str, int]
) -> dict[str, Document]:
    if attachment.joint is not None:
        return _of_joint(session, catalogue, attachment.joint)
    return domain.documents_of(joint_documents.described(catalogue, VERSIONS.get(session, catalogue, *item)))


def _require_length(length: object) -> int:
    if not isinstance(length, int) or isinstance(length, bool):
        raise InvalidInput([forms.fault("/length", "type", "integer")])
    return length


def _require_platform(actor: Actor) -> None:
    if actor.role != "system":
        raise NotPermitted("check_attachments")
