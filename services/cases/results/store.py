"""The table of results. What one says of a person is sealed; its code is found by its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import Session
from chassis.sealing import Seal
from chassis.typed_codes import bare
from services.cases.results.domain import Content, Result

PURPOSE = "onehall.cases.results"

_NAMES = tuple(each.name for each in fields(Result))
_COLUMNS = ", ".join("CAST(id AS text) AS id" if name == "id" else name for name in _NAMES)
_INSERT = text(
    f"""
    INSERT INTO results ({", ".join(_NAMES)}, code_hash, content)
    VALUES (CAST(:id AS uuid), {", ".join(f":{name}" for name in _NAMES if name != "id")}, :code_hash, :content)
    """  # noqa: S608
)
_REVOKE = text(
    "UPDATE results SET status = 'revoked', ended_at = :now, end_reason = :reason"
    " WHERE number = :number AND status = 'valid' RETURNING paper"
)
# what a review took back, since when it did; what an officer revoked stays so, with their reason
_SUPERSEDE = text(
    "UPDATE results SET status = 'superseded', ended_at = coalesce(ended_at, :now), end_reason = 'reopened'"
    " WHERE number = :number AND (status = 'valid' OR (status = 'revoked' AND end_reason = 'reopened'))"
)
_RENEW = text(
    "UPDATE results SET status = 'superseded', ended_at = :now, end_reason = 'renewed'"
    " WHERE id = CAST(:id AS uuid) AND status = 'valid'"
)
# one after the other, or of two decisions at once neither would see the other's certificate
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('certificate ' || :paper || ' ' || :holder, 0))")
_LAST_SERIAL = text("SELECT coalesce(max(serial), 0) FROM results WHERE number = :number")
_OF_CASE = text(
    f"SELECT {_COLUMNS}, content FROM results WHERE number = :number ORDER BY serial DESC LIMIT 1"  # noqa: S608
)
_HELD = text(
    f"""
    SELECT {_COLUMNS}, content FROM results
    WHERE holder = :holder AND paper = :paper AND form = 'certificate' AND status = 'valid'
        AND issued_at <= :at AND (valid_until IS NULL OR valid_until >= :day)
    ORDER BY issued_at DESC, id LIMIT :most
    """  # noqa: S608
)
_TAKEN_BACK = text(
    "SELECT CAST(id AS text) FROM results WHERE id = ANY(CAST(:ids AS uuid[])) AND status IN ('revoked', 'superseded')"
)
_BY_CODE = text(f"SELECT {_COLUMNS}, content FROM results WHERE code_hash = :code_hash")  # noqa: S608
_LIST = text(
    f"""
    SELECT {_COLUMNS}, content FROM results WHERE holder = :holder AND form = 'certificate'
        AND (CAST(:before AS uuid) IS NULL OR (issued_at, id) < (
            SELECT issued_at, id FROM results WHERE id = CAST(:before AS uuid) AND holder = :holder))
    ORDER BY issued_at DESC, id DESC LIMIT :most
    """  # noqa: S608
)
_KEEP_DOCUMENT = text(
    "INSERT INTO result_documents (result, language, sha256, made_at)"
    " VALUES (CAST(:result AS uuid), :language, decode(CAST(:sha256 AS text), 'hex'), :now) ON CONFLICT DO NOTHING"
)
_DOCUMENTS = text(
    "SELECT language, encode(sha256, 'hex') AS sha256 FROM result_documents WHERE result = CAST(:result AS uuid)"
    " ORDER BY made_at DESC, language LIMIT :most"
)
_ADD_DOWNLOAD = text(
    "INSERT INTO result_downloads (result, at, channel, actor, actor_subject, language, hall)"
    " VALUES (CAST(:result AS uuid), :at, :channel, :actor, :actor_subject, :language, :hall)"
)
_DOWNLOADS = text(
    "SELECT at, channel, actor, language, hall FROM result_downloads WHERE result = CAST(:result AS uuid)"
    " ORDER BY at DESC, id DESC LIMIT :most"
)


def insert(session: Session, seal: Seal, result: Result, content: Content) -> None:
    sealed = seal.close(json.dumps(asdict(content), ensure_ascii=False).encode(), result.id.encode())
    session.execute(_INSERT, asdict(result) | {"code_hash": hash_code(content.code), "content": sealed})


def revoke(session: Session, number: str, reason: str, now: datetime) -> list[str]:
    """The one of the case, which is locked, that is valid: which paper it is."""
    return list(session.execute(_REVOKE, {"number": number, "reason": reason, "now": now}).scalars())


def supersede(session: Session, number: str, now: datetime) -> None:
    """Something else stands in the place of what was issued before on this case, which is locked."""
    session.execute(_SUPERSEDE, {"number": number, "now": now})


def take_turns(session: Session, holder: str, paper: str) -> None:
    """Until the end of the transaction nobody else replaces certificates of this kind for them."""
    session.execute(_ONE_BY_ONE, {"holder": holder, "paper": paper})


def supersede_renewed(session: Session, result: str, now: datetime) -> None:
    """A newer one, of whatever case, takes its place. One that was ended meanwhile stays as it was ended."""
    session.execute(_RENEW, {"id": result, "now": now})


def next_serial(session: Session, number: str) -> int:
    """Of a case that is locked."""
    return int(session.execute(_LAST_SERIAL, {"number": number}).scalar_one()) + 1


def load_newest(session: Session, seal: Seal, number: str) -> tuple[Result, Content] | None:
    """The result of the last decision on the case, whatever has become of it."""
    row = session.execute(_OF_CASE, {"number": number}).one_or_none()
    return None if row is None else _opened(row, seal)


def list_held(
    session: Session, seal: Seal, holder: str, paper: str, at: datetime, day: Any, most: int
) -> list[tuple[Result, Content]]:
    values = {"holder": holder, "paper": paper, "at": at, "day": day, "most": most}
    return [_opened(row, seal) for row in session.execute(_HELD, values)]


def list_taken_back(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of the ids that were revoked, or that another decision has taken the place of."""
    return set(session.execute(_TAKEN_BACK, {"ids": list(ids)}).scalars())


def find_by_code(session: Session, seal: Seal, code_hash: bytes) -> tuple[Result, Content] | None:
    row = session.execute(_BY_CODE, {"code_hash": code_hash}).one_or_none()
    return None if row is None else _opened(row, seal)


def list_certificates(
    session: Session, seal: Seal, holder: str, before: str | None, most: int
) -> list[tuple[Result, Content]]:
    """The newest first, whatever has become of them, from behind the one with the id `before`."""
    rows = session.execute(_LIST, {"holder": holder, "before": before, "most": most})
    return [_opened(row, seal) for row in rows]


def keep_document(session: Session, result: str, language: str, sha256: str, now: datetime) -> None:
    """`sha256` in hexadecimal, of one PDF that was given out."""
    session.execute(_KEEP_DOCUMENT, {"result": result, "language": language, "sha256": sha256, "now": now})


def list_documents(session: Session, result: str, most: int) -> list[Row[Any]]:
    return list(session.execute(_DOCUMENTS, {"result": result, "most": most}))


def add_download(session: Session, download: Mapping[str, Any]) -> None:
    session.execute(_ADD_DOWNLOAD, dict(download))


def list_downloads(session: Session, result: str, most: int) -> list[Row[Any]]:
    """The last ones first."""
    return list(session.execute(_DOWNLOADS, {"result": result, "most": most}))


def hash_code(code: str) -> bytes:
    """Nobody guesses sixteen characters, so their plain SHA-256 can be kept."""
    return hashlib.sha256(bare(code).encode()).digest()


def _opened(row: Row[Any], seal: Seal) -> tuple[Result, Content]:
    *columns, content = tuple(row)
    result = Result(*columns)
    return result, Content(**json.loads(seal.open(bytes(content), result.id.encode())))
