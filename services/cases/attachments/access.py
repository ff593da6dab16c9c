"""Whose attachments an actor may add to, and whose they may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from chassis.database import Session
from chassis.sealing import Seal
from contracts.actors import Actor, Mandate
from contracts.errors import InvalidInput, NotFound
from services.cases import domain as case_rules
from services.cases import store as case_store
from services.cases.attachments import store
from services.cases.attachments.domain import Attachment
from services.cases.case_number import is_case_number
from services.cases.drafts import access as draft_access
from services.cases.joint import domain as joint_rules
from services.cases.joint import store as joint_store

_DRAFT = text("SELECT applicant, item, item_version FROM drafts WHERE id = CAST(:id AS uuid)")


@dataclass(frozen=True, slots=True)
class Place:
    """What a file is attached to: a draft, or a case with its status.

    Of a joint case, `number` is a part of `joint`, and the file is for every part that asks for it; `is_whole` if it is
    handed in at the whole, not at that part.
    """

    applicant: str
    item: str
    item_version: int
    draft: str | None = None
    number: str | None = None
    status: str | None = None
    joint: str | None = None
    is_whole: bool = False


def require_place(session: Session, actor: Actor, target: object) -> Place:
    """`target` is `{"draft": id}`, `{"number": number}` or `{"joint": number}`, of the actor or of the person for whom
    they act."""
    match target:
        case {"draft": draft, **others} if not others:
            return _draft(session, actor, draft)
        case {"number": number, **others} if not others:
            return _case(session, actor, number)
        case {"joint": number, **others} if not others:
            return _joint(session, actor, number)
    raise InvalidInput([{"pointer": "/target", "rule": "type", "value": "object"}])


def _draft(session: Session, actor: Actor, draft: object) -> Place:
    subject = draft_access.applicant_of(actor).subject
    known = draft_access.require_id(draft)
    row = session.execute(_DRAFT, {"id": known}).one_or_none()
    if row is None or row.applicant != subject or not draft_access.may_touch(actor, row.item):
        raise NotFound("draft", known)
    return Place(subject, row.item, row.item_version, draft=known)


def _case(session: Session, actor: Actor, number: object) -> Place:
    case = case_store.load_case(session, number) if isinstance(number, str) and is_case_number(number) else None
    if case is None or case_rules.CITIZEN not in case_rules.parts_of(actor, case):
        raise NotFound("case", str(number)[:64])
    return Place(case.applicant, case.item, case.item_version, number=case.number, status=case.status, joint=case.joint)


def _joint(session: Session, actor: Actor, number: object) -> Place:
    found = joint_store.load(session, number) if isinstance(number, str) and is_case_number(number) else None
    parts = joint_store.load_parts(session, found.number) if found else []
    if found is None or case_rules.CITIZEN not in joint_rules.roles_of(actor, found, parts):
        raise NotFound("joint case", str(number)[:64])
    is_open = any(each.is_open for each in joint_rules.progress(parts))
    status = case_rules.SUBMITTED if is_open else case_rules.CLOSED
    first = next(part.case for part in parts if part.case)
    return Place(
        found.applicant,
        found.item,
        found.item_version,
        number=first.number,
        status=status,
        joint=found.number,
        is_whole=True,
    )


def require(session: Session, seal: Seal, attachment_id: object, *, for_update: bool = False) -> Attachment:
    """Raise `NotFound` for one that is not there, or was given up; also for what cannot be an id."""
    known = draft_access.id_in(attachment_id)
    found = store.load(session, seal, known, for_update=for_update) if known else None
    if found is None:
        raise NotFound("attachment", str(attachment_id)[:64])
    return found


def require_mine(session: Session, actor: Actor, attachment: Attachment) -> Attachment:
    """Raise `NotFound` unless it is the actor's own, or of the person for whom they act about just that."""
    is_own = attachment.applicant == actor.subject and not case_rules.is_program(actor)
    if not is_own or not _is_covered(session, actor, attachment):
        raise NotFound("attachment", attachment.id)
    return attachment


def _is_covered(session: Session, actor: Actor, attachment: Attachment) -> bool:
    if actor.mandate is None:
        return True
    if attachment.joint is not None:
        return _covers_joint(session, actor, actor.mandate, attachment.joint)
    if attachment.number is not None:
        case = case_store.load_case(session, attachment.number)
        return case is not None and actor.mandate.covers(case.item, case.number)
    row: Any = session.execute(_DRAFT, {"id": attachment.draft}).one_or_none() if attachment.draft else None
    return row is not None and actor.mandate.covers(row.item)


def acts_for_whole(session: Session, actor: Actor, number: str) -> bool:
    """Whether what the applicant themselves may do is not narrowed to some parts of the joint case."""
    found = joint_store.load(session, number)
    return actor.mandate is None or (found is not None and actor.mandate.covers(found.item, number))


def _covers_joint(session: Session, actor: Actor, mandate: Mandate, number: str) -> bool:
    """It is about the whole, or about one of its parts."""
    if acts_for_whole(session, actor, number):
        return True
    cases = [part.case for part in joint_store.load_parts(session, number) if part.case]
    return any(mandate.covers(case.item, case.number) for case in cases)
