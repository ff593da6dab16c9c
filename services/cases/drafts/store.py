"""The table of drafts. What was typed is sealed: whoever reads the database learns who began what, and when."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import Session
from chassis.sealing import Seal
from services.cases.drafts.domain import Draft, Entry

PURPOSE = "onehall.cases.drafts"

_COLUMNS = (
    "CAST(id AS text) AS id, applicant, item, item_version, revision, channel, created_at, updated_at, expires_at"
)
_LOAD = text(f"SELECT {_COLUMNS}, content FROM drafts WHERE id = CAST(:id AS uuid) AND applicant = :applicant")  # noqa: S608
_LOCK = text(f"{_LOAD.text} FOR UPDATE")
_LIST = text(
    f"SELECT {_COLUMNS} FROM drafts WHERE applicant = :applicant AND expires_at > :now"  # noqa: S608
    " AND (CAST(:item AS text) IS NULL OR item = :item) ORDER BY updated_at DESC LIMIT :most"
)
# one after the other, or two at once would both find room for one
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('draft ' || :applicant, 0))")
_COUNT = text("SELECT count(*) FROM drafts WHERE applicant = :applicant")
_IS_FILED = text(
    "SELECT EXISTS (SELECT FROM cases WHERE applicant = :applicant AND idempotency_key = :id)"
    " OR EXISTS (SELECT FROM joint_cases WHERE applicant = :applicant AND idempotency_key = :id)"
)
_INSERT = text(
    """
    INSERT INTO drafts (
        id, applicant, item, item_version, revision, channel, content, created_at, updated_at, expires_at
    ) VALUES (CAST(:id AS uuid), :applicant, :item, :item_version, :revision, :channel, :content, :created_at,
            :updated_at, :expires_at)
    ON CONFLICT DO NOTHING
    """
)
_UPDATE = text(
    """
    UPDATE drafts SET item_version = :item_version, revision = :revision, channel = :channel, content = :content,
        updated_at = :updated_at, expires_at = :expires_at
    WHERE id = CAST(:id AS uuid)
    """
)
_DELETE = text(
    "DELETE FROM drafts WHERE id = CAST(:id AS uuid) AND applicant = :applicant"
    " AND (CAST(:item AS text) IS NULL OR item = :item)"
)

_LIST_WHOLE = text(
    f"SELECT {_COLUMNS}, content FROM drafts WHERE applicant = :applicant ORDER BY updated_at DESC LIMIT :most"  # noqa: S608
)
_DELETE_ALL = text("DELETE FROM drafts WHERE applicant = :applicant")


def load(session: Session, seal: Seal, draft_id: str, applicant: str) -> Draft | None:
    return _opened(session.execute(_LOAD, {"id": draft_id, "applicant": applicant}).one_or_none(), seal)


def lock(session: Session, seal: Seal, draft_id: str, applicant: str) -> Draft | None:
    return _opened(session.execute(_LOCK, {"id": draft_id, "applicant": applicant}).one_or_none(), seal)


def list_of(session: Session, applicant: str, item: str | None, now: datetime, most: int) -> list[Row[Any]]:
    """The last changed first, without what was typed."""
    return list(session.execute(_LIST, {"applicant": applicant, "item": item, "now": now, "most": most}))


def list_whole(session: Session, seal: Seal, applicant: str, most: int) -> list[Draft]:
    """The last changed first, with what was typed."""
    rows = session.execute(_LIST_WHOLE, {"applicant": applicant, "most": most})
    return [draft for row in rows if (draft := _opened(row, seal)) is not None]


def delete_all(session: Session, applicant: str) -> None:
    session.execute(_DELETE_ALL, {"applicant": applicant})


def begin_one(session: Session, applicant: str) -> int:
    """How many the applicant has; until the end of the transaction nobody else begins one for them."""
    take_turns(session, applicant)
    return int(session.execute(_COUNT, {"applicant": applicant}).scalar_one())


def take_turns(session: Session, applicant: str) -> None:
    """Until the end of the transaction nobody else begins or files a draft for them."""
    session.execute(_ONE_BY_ONE, {"applicant": applicant})


def is_filed(session: Session, draft_id: str, applicant: str) -> bool:
    """Whether it has become a case."""
    return bool(session.execute(_IS_FILED, {"id": draft_id, "applicant": applicant}).scalar_one())


def insert(session: Session, seal: Seal, draft: Draft) -> bool:
    """False if there is one of this id."""
    return bool(session.execute(_INSERT, _values(draft, seal)).rowcount)


def update(session: Session, seal: Seal, draft: Draft) -> None:
    session.execute(_UPDATE, _values(draft, seal))


def delete(session: Session, draft_id: str, applicant: str, item: str | None = None) -> bool:
    """`item`: only if it is a draft of that."""
    return bool(session.execute(_DELETE, {"id": draft_id, "applicant": applicant, "item": item}).rowcount)


def _values(draft: Draft, seal: Seal) -> dict[str, Any]:
    entries = {name: asdict(entry) for name, entry in draft.entries.items()}
    content = json.dumps({"entries": entries, "left_over": dict(draft.left_over)}, ensure_ascii=False)
    return {
        "id": draft.id,
        "applicant": draft.applicant,
        "item": draft.item,
        "item_version": draft.item_version,
        "revision": draft.revision,
        "channel": draft.channel,
        "content": seal.close(content.encode(), _place(draft.id)),
        "created_at": draft.created_at,
        "updated_at": draft.updated_at,
        "expires_at": draft.expires_at,
    }


def _opened(row: Row[Any] | None, seal: Seal) -> Draft | None:
    if row is None:
        return None
    columns: dict[str, Any] = {name: value for name, value in row._mapping.items() if name != "content"}
    content = json.loads(seal.open(bytes(row.content), _place(row.id)))
    entries = {name: Entry(**entry) for name, entry in content["entries"].items()}
    return Draft(**columns, entries=entries, left_over=content["left_over"])


def _place(draft_id: str) -> bytes:
    return draft_id.encode()
