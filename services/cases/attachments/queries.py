"""What people read of attachments, and who may."""

from __future__ import annotations

from typing import Any

from chassis.database import Session
from chassis.sealing import Seal
from contracts import access as words
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, NotFound
from services.cases import domain as case_rules
from services.cases import looks
from services.cases import store as case_store
from services.cases.attachments import access, domain, store
from services.cases.attachments.domain import Attachment
from services.cases.attachments.views import documents_view, to_check_view
from services.cases.case_number import is_case_number
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case
from services.cases.joint import documents as joint_documents
from services.cases.joint import store as joint_store


def get_upload(session: Session, seal: Seal, actor: Actor, attachment_id: str) -> dict[str, Any]:
    """How far an upload has come: of one's own, whatever has become of it."""
    return to_check_view(access.require_mine(session, actor, access.require(session, seal, attachment_id)), None)


def get_attachment(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    attachment_id: str,
    purpose: str | None = None,
) -> dict[str, Any]:
    """What is needed to read a file. A look, if the reader is not its applicant.

    Raise `ActionNotAllowed` while it has not been checked, or if it was refused: nobody reads it then.
    """
    attachment = access.require(session, seal, attachment_id)
    _require_reader(session, catalogue, actor, attachment, purpose)
    if attachment.status != domain.CLEAN:
        raise ActionNotAllowed("read", attachment.status)
    return to_check_view(attachment, None)


def _require_reader(
    session: Session, catalogue: Catalogue, actor: Actor, attachment: Attachment, purpose: str | None
) -> None:
    joint = attachment.joint
    if joint and not (attachment.applicant == actor.subject and access.acts_for_whole(session, actor, joint)):
        looks.note(session, actor, _part_for(session, catalogue, actor, attachment), words.DOCUMENT, purpose)
        return
    if attachment.number is None or joint is not None:
        access.require_mine(session, actor, attachment)
        looks.note_own(session, actor, attachment.applicant, words.DOCUMENT)
        return
    case = case_store.load_case(session, attachment.number)
    if case is None or not case_rules.parts_of(actor, case):
        raise NotFound("attachment", attachment.id)
    looks.note(session, actor, case, words.DOCUMENT, purpose)


def _part_for(session: Session, catalogue: Catalogue, actor: Actor, attachment: Attachment) -> Case:
    """The part for which the actor reads a file of a joint case: it asks for it, and they may see it."""
    for part in joint_store.load_parts(session, attachment.joint or ""):
        item = VERSIONS.get(session, catalogue, part.item, part.item_version).description
        if part.case and attachment.document in domain.documents_of(item) and case_rules.parts_of(actor, part.case):
            return part.case
    raise NotFound("attachment", attachment.id)


def list_documents(
    session: Session,
    catalogue: Catalogue,
    seal: Seal,
    actor: Actor,
    target: dict[str, str],
    purpose: str | None = None,
) -> dict[str, Any]:
    """The documents of one's own draft, or of a case that the reader may see: then it is a look, as the case is."""
    if "number" in target:
        case = _require_case(session, actor, target["number"])
        looks.note(session, actor, case, words.CASE, purpose)
        item = VERSIONS.get(session, catalogue, case.item, case.item_version).description
        return documents_view(item, store.list_of_case(session, seal, case.number))
    place = access.require_place(session, actor, target)
    if place.joint is not None:
        looks.note_own(session, actor, place.applicant, words.CASE)
        item = joint_documents.of_case(session, catalogue, joint_store.load_parts(session, place.joint))
        return documents_view(item, store.list_of_joint(session, seal, place.joint))
    looks.note_own(session, actor, place.applicant, words.DRAFT)
    described = VERSIONS.get(session, catalogue, place.item, place.item_version)
    files = store.list_of_draft(session, seal, place.draft or "")
    return documents_view(joint_documents.described(catalogue, described), files)


def _require_case(session: Session, actor: Actor, number: object) -> Case:
    case = case_store.load_case(session, number) if isinstance(number, str) and is_case_number(number) else None
    if case is None:
        raise NotFound("case", str(number)[:64])
    case_rules.require_visible(actor, case)
    return case
