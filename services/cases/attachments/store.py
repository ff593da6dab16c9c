"""The table of attachments: what is known of each file. Names of files are sealed: they say who somebody is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from chassis.database import Session
from chassis.sealing import Seal
from services.cases.attachments import domain
from services.cases.attachments.domain import Attachment

PURPOSE = "onehall.cases.files"

_COLUMNS = """
    CAST(id AS text) AS id, applicant, CAST(draft AS text) AS draft, number, document, name, length, received, parts,
    status, fault, media_type, encode(sha256, 'hex') AS sha256, channel, created_at, expires_at, joint
"""
_LOAD = f"SELECT {_COLUMNS} FROM attachments WHERE id = CAST(:id AS uuid) AND status <> 'abandoned'"  # noqa: S608
_LIST_OF_DRAFT = text(
    f"SELECT {_COLUMNS} FROM attachments"  # noqa: S608
    " WHERE draft = CAST(:draft AS uuid) AND status <> 'abandoned' ORDER BY created_at, id"
)
# a part of a joint case has what was handed in for all of them; the reader leaves out what it does not ask for
_OF_CASE = "(number = :number OR joint = (SELECT joint FROM cases WHERE number = :number))"
_LIST_OF_CASE = text(
    f"SELECT {_COLUMNS} FROM attachments WHERE {_OF_CASE} AND status <> 'abandoned' ORDER BY created_at, id"  # noqa: S608
)
_LIST_OF_JOINT = text(
    f"SELECT {_COLUMNS} FROM attachments"  # noqa: S608
    " WHERE (joint = :joint OR number IN (SELECT number FROM joint_parts WHERE joint = :joint))"
    " AND status <> 'abandoned' ORDER BY created_at, id"
)
_HANDED_IN = text(
    f"SELECT DISTINCT document FROM attachments WHERE {_OF_CASE} AND status IN ('received', 'clean')"  # noqa: S608
)
_HANDED_IN_JOINT = text(
    "SELECT DISTINCT document FROM attachments WHERE joint = :joint AND status IN ('received', 'clean')"
)
_ITEMS = text(
    """
    SELECT CAST(a.id AS text) AS id, coalesce(c.item, d.item) AS item,
        coalesce(c.item_version, d.item_version) AS version
    FROM attachments a LEFT JOIN cases c ON c.number = a.number LEFT JOIN drafts d ON d.id = a.draft
    WHERE a.id = ANY(CAST(:ids AS uuid[])) AND (c.number IS NOT NULL OR d.id IS NOT NULL)
    """
)
# one after the other, or two at once would both find room for one
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('attachment ' || :applicant, 0))")
_OF_PERSON = text(
    """
    SELECT count(*) FILTER (WHERE status = 'uploading') AS uploading,
        coalesce(sum(length) FILTER (WHERE status IN ('uploading', 'received', 'clean')), 0) AS bytes
    FROM attachments WHERE applicant = :applicant AND (number IS NULL OR status = 'uploading')
    """
)
_INSERT = text(
    """
    INSERT INTO attachments
        (id, applicant, draft, number, joint, document, name, length, channel, created_at, expires_at)
    VALUES (CAST(:id AS uuid), :applicant, CAST(:draft AS uuid), :number, :joint, :document, :name, :length, :channel,
            :now, :expires_at)
    """
)
_RECEIVE = text(
    """
    UPDATE attachments SET received = :received, length = :length, parts = CAST(:parts AS jsonb), status = :status,
        expires_at = :expires_at, checking_until = :checking_until
    WHERE id = CAST(:id AS uuid)
    """
)
_CHECKED = text(
    """
    UPDATE attachments SET status = :status, fault = :fault, media_type = :media_type,
        sha256 = decode(CAST(:sha256 AS text), 'hex'), checking_until = NULL, expires_at = :now
    WHERE id = CAST(:id AS uuid) AND status = 'received'
    """
)
_ABANDON = text("UPDATE attachments SET status = 'abandoned', checking_until = NULL WHERE id = CAST(:id AS uuid)")
# which draft a file was for is known until that is deleted; what nobody took over by then is nobody's
_BIND = text(
    """
    UPDATE attachments SET number = :number, draft = NULL
    WHERE draft = CAST(:draft AS uuid) AND applicant = :applicant AND status IN ('uploading', 'received', 'clean')
    AND EXISTS (SELECT FROM drafts d JOIN cases c ON c.item = d.item WHERE d.id = draft AND c.number = :number)
    """
)
_BIND_JOINT = text(
    """
    UPDATE attachments SET number = :number, joint = :joint, draft = NULL
    WHERE draft = CAST(:draft AS uuid) AND applicant = :applicant AND status IN ('uploading', 'received', 'clean')
    AND EXISTS (SELECT FROM drafts d JOIN joint_cases j ON j.item = d.item WHERE d.id = draft AND j.number = :joint)
    AND document = ANY(:documents)
    """
)
# of drafts of the item, or with the case already
_LOCK_NAMED = text(
    """
    SELECT CAST(id AS text) AS id, document, length, status, fault, number FROM attachments
    WHERE id = ANY(CAST(:ids AS uuid[])) AND applicant = :applicant AND status <> 'abandoned'
    AND (
        number = :number OR joint = :joint
        OR draft IN (SELECT id FROM drafts WHERE applicant = :applicant AND item = :item)
    )
    ORDER BY id FOR UPDATE
    """
)
_COUNTED = text(
    "SELECT document, length FROM attachments"
    " WHERE (number = :number OR joint = :joint) AND status IN ('uploading', 'received', 'clean')"
)
_BIND_NAMED = text(
    "UPDATE attachments SET number = :number, joint = :joint, draft = NULL WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_TAKE_UNCHECKED = text(
    f"""
    UPDATE attachments SET checking_until = :until
    WHERE id IN (
        SELECT id FROM attachments
        WHERE status = 'received' AND (checking_until IS NULL OR checking_until < :now)
        ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    RETURNING {_COLUMNS}
    """  # noqa: S608
)
_TAKE_UNWANTED = text(
    f"""
    UPDATE attachments SET checking_until = :until,
        status = CASE WHEN status = 'refused' AND (number IS NOT NULL OR draft IS NOT NULL) THEN status
                 ELSE 'abandoned' END
    WHERE id IN (
        SELECT id FROM attachments
        WHERE (
            status = 'abandoned' OR (status = 'uploading' AND expires_at < :now)
            OR (status = 'refused' AND parts <> '[]') OR (number IS NULL AND draft IS NULL)
        ) AND (checking_until IS NULL OR checking_until < :now)
        ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    RETURNING {_COLUMNS}
    """  # noqa: S608
)
_FORGET = text(
    """
    WITH kept AS (
        UPDATE attachments SET parts = '[]', checking_until = NULL
        WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'refused'
    )
    DELETE FROM attachments WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'abandoned'
    """
)


def load(session: Session, seal: Seal, attachment_id: str, *, for_update: bool = False) -> Attachment | None:
    statement = text(_LOAD + (" FOR UPDATE" if for_update else ""))
    row = session.execute(statement, {"id": attachment_id}).one_or_none()
    return None if row is None else _opened(row, seal)


def list_of_draft(session: Session, seal: Seal, draft: str) -> list[Attachment]:
    return [_opened(row, seal) for row in session.execute(_LIST_OF_DRAFT, {"draft": draft})]


def list_of_case(session: Session, seal: Seal, number: str) -> list[Attachment]:
    return [_opened(row, seal) for row in session.execute(_LIST_OF_CASE, {"number": number})]


def list_of_joint(session: Session, seal: Seal, joint: str) -> list[Attachment]:
    """Of the whole, and of its parts from before they were of the whole."""
    return [_opened(row, seal) for row in session.execute(_LIST_OF_JOINT, {"joint": joint})]


def list_handed_in(session: Session, number: str) -> set[str]:
    """The codes of the documents that a file of the case is complete of."""
    return set(session.execute(_HANDED_IN, {"number": number}).scalars())


def list_handed_in_joint(session: Session, joint: str) -> set[str]:
    return set(session.execute(_HANDED_IN_JOINT, {"joint": joint}).scalars())


def items_of(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Attachment -> the item, in its version, that its draft or case is of; those of nothing any more are left out."""
    rows = session.execute(_ITEMS, {"ids": list(ids)})
    return {row.id: (row.item, row.version) for row in rows}


def begin_one(session: Session, applicant: str) -> tuple[int, int]:
    """How many uploads of the person are under way, and how many bytes of theirs belong to no case yet.

    Until the end of the transaction nobody else begins one for them.
    """
    session.execute(_ONE_BY_ONE, {"applicant": applicant})
    row = session.execute(_OF_PERSON, {"applicant": applicant}).one()
    return int(row.uploading), int(row.bytes)


def insert(session: Session, seal: Seal, attachment: Attachment) -> None:
    session.execute(
        _INSERT,
        {
            "id": attachment.id,
            "applicant": attachment.applicant,
            "draft": attachment.draft,
            "number": attachment.number,
            "joint": attachment.joint,
            "document": attachment.document,
            "name": seal.close(attachment.name.encode(), attachment.id.encode()),
            "length": attachment.length,
            "channel": attachment.channel,
            "now": attachment.created_at,
            "expires_at": attachment.expires_at,
        },
    )


def save_received(session: Session, attachment: Attachment, checking_until: datetime | None) -> None:
    session.execute(
        _RECEIVE,
        {
            "id": attachment.id,
            "received": attachment.received,
            "length": attachment.length,
            "parts": json.dumps(attachment.parts),
            "status": attachment.status,
            "expires_at": attachment.expires_at,
            "checking_until": checking_until,
        },
    )


def save_checked(session: Session, attachment_id: str, outcome: dict[str, Any], now: datetime) -> bool:
    """`outcome` has `media_type` and `sha256`, or `fault`. False if it was checked or given up before."""
    fault = outcome.get("fault")
    values = {
        "id": attachment_id,
        "status": domain.REFUSED if fault else domain.CLEAN,
        "fault": fault,
        "media_type": outcome.get("media_type"),
        "sha256": outcome.get("sha256"),
        "now": now,
    }
    return bool(session.execute(_CHECKED, values).rowcount)


def abandon(session: Session, attachment_id: str) -> None:
    session.execute(_ABANDON, {"id": attachment_id})


def bind(session: Session, draft: str, applicant: str, number: str) -> None:
    """What was handed in with the draft belongs to the case from now on."""
    session.execute(_BIND, {"draft": draft, "applicant": applicant, "number": number})


def bind_joint(
    session: Session, draft: str, applicant: str, documents: Sequence[str], *, number: str, joint: str
) -> None:
    """The same of a joint case, of which `number` is a part: what was handed in for these documents."""
    values = {"draft": draft, "applicant": applicant, "documents": list(documents), "number": number, "joint": joint}
    session.execute(_BIND_JOINT, values)


def lock_named(
    session: Session, applicant: str, item: str, ids: Sequence[str], *, number: str, joint: str | None
) -> dict[str, Row[Any]]:
    """Those of the ids that are of the applicant's drafts of the item, or of the case or joint case: `document`,
    `length`, `status`, `fault`, `number`."""
    values = {"ids": list(ids), "applicant": applicant, "item": item, "number": number, "joint": joint}
    return {row.id: row for row in session.execute(_LOCK_NAMED, values)}


def list_counted(session: Session, *, number: str, joint: str | None) -> list[tuple[str, int]]:
    """Of each file that counts against the limits of the case: its document and its length."""
    rows = session.execute(_COUNTED, {"number": number, "joint": joint})
    return [(row.document, int(row.length)) for row in rows]


def bind_named(session: Session, ids: Sequence[str], *, number: str, joint: str | None) -> None:
    if ids:
        session.execute(_BIND_NAMED, {"ids": list(ids), "number": number, "joint": joint})


def take_unchecked(session: Session, seal: Seal, now: datetime, lease: timedelta, most: int) -> list[Attachment]:
    """Some that are to be checked, for this caller alone until the lease is over."""
    rows = session.execute(_TAKE_UNCHECKED, {"now": now, "until": now + lease, "most": most}).all()
    return [_opened(row, seal) for row in rows]


def take_unwanted(session: Session, now: datetime, lease: timedelta, most: int) -> list[Row[Any]]:
    """Some whose bytes are to be removed. Nothing is received for them any more."""
    return list(session.execute(_TAKE_UNWANTED, {"now": now, "until": now + lease, "most": most}))


def forget(session: Session, ids: Sequence[str]) -> None:
    """Their bytes are gone: so are the rows, but for those of refused files, which still say why."""
    session.execute(_FORGET, {"ids": list(ids)})


def _opened(row: Row[Any], seal: Seal) -> Attachment:
    columns = dict(row._mapping)
    columns["name"] = seal.open(bytes(row.name), row.id.encode()).decode()
    columns["parts"] = tuple((name, length) for name, length in row.parts)
    return Attachment(**columns)
