"""The tables of the catalogue. Versions are only added; which one is published moves on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from chassis.database import Session

_REVISION = text("SELECT revision FROM catalogue_revision")
_LOCK = text("SELECT revision FROM catalogue_revision FOR UPDATE")
_RAISE = text("UPDATE catalogue_revision SET revision = revision + 1 RETURNING revision")
_STANDING = text(
    "SELECT code, version, v.origin, v.digest FROM published_items JOIN item_versions v USING (code, version)"
)
_PUBLISHED = text("SELECT code, version FROM published_items")
_CONTENTS = text(
    "SELECT v.content FROM item_versions v"
    " JOIN jsonb_to_recordset(CAST(:wanted AS jsonb)) AS wanted(code text, version integer) USING (code, version)"
)
_VERSION = text("SELECT content FROM item_versions WHERE code = :code AND version = :version")
# one statement however many: a round trip a row would take longer than all the rest of an import
_ADD = text(
    """
    WITH added AS (
        INSERT INTO item_versions (code, version, origin, content, digest, published_at)
        SELECT content ->> 'code', (content ->> 'version')::integer, :origin, content, decode(digest, 'hex'), :at
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new(content jsonb, digest text)
        RETURNING code, version
    )
    INSERT INTO published_items (code, version) SELECT code, version FROM added
    ON CONFLICT (code) DO UPDATE SET version = excluded.version
    """
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is published of an item."""

    version: int
    origin: str
    digest: bytes


def get_revision(session: Session) -> int:
    return int(session.execute(_REVISION).scalar_one())


def lock(session: Session) -> int:
    """One publishes at a time."""
    return int(session.execute(_LOCK).scalar_one())


def raise_revision(session: Session) -> int:
    return int(session.execute(_RAISE).scalar_one())


def load_standing(session: Session) -> dict[str, Standing]:
    return {
        code: Standing(version, origin, bytes(digest)) for code, version, origin, digest in session.execute(_STANDING)
    }


def list_published(session: Session) -> list[tuple[str, int]]:
    return [(code, version) for code, version in session.execute(_PUBLISHED)]


def load_versions(session: Session, wanted: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """The contents, in no order."""
    if not wanted:
        return []
    rows = json.dumps([{"code": code, "version": version} for code, version in wanted])
    return list(session.execute(_CONTENTS, {"wanted": rows}).scalars())


def load_version(session: Session, code: str, version: int) -> dict[str, Any] | None:
    content: dict[str, Any] | None = session.execute(_VERSION, {"code": code, "version": version}).scalar_one_or_none()
    return content


def add_versions(session: Session, rows: Sequence[tuple[dict[str, Any], bytes]], origin: str, at: datetime) -> None:
    """Save contents with their digests, each a version that was not there, and publish them."""
    if rows:
        new = json.dumps([{"content": content, "digest": digest.hex()} for content, digest in rows], ensure_ascii=False)
        session.execute(_ADD, {"rows": new, "origin": origin, "at": at})
