"""The tables of evidence and of consents. What evidence says of a person is sealed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import Session
from chassis.sealing import Seal
from services.cases.evidence.domain import Content, Evidence

PURPOSE = "onehall.cases.evidence"

_MOST_EARLIER = 10

_NAMES = tuple(each.name for each in fields(Evidence))
_COLUMNS = ", ".join("CAST(id AS text) AS id" if name == "id" else name for name in _NAMES)
_CHANGING = tuple(
    name
    for name in _NAMES
    if name not in ("id", "number", "document", "paper", "source_kind", "source", "applicant", "item")
)
_INSERT = text(
    f"""
    INSERT INTO evidence ({", ".join(_NAMES)})
    VALUES (CAST(:id AS uuid), {", ".join(f":{name}" for name in _NAMES if name != "id")})
    ON CONFLICT (number, document) DO NOTHING
    """  # noqa: S608
)
_SAVE = text(
    f"UPDATE evidence SET {', '.join(f'{name} = :{name}' for name in _CHANGING)} WHERE id = CAST(:id AS uuid)"  # noqa: S608
)
_SAVE_CONTENT = text("UPDATE evidence SET content = :content WHERE id = CAST(:id AS uuid)")
_LOAD = f"SELECT {_COLUMNS}, content FROM evidence WHERE id = CAST(:id AS uuid)"  # noqa: S608
_STATES = f"SELECT {_COLUMNS} FROM evidence WHERE number = :number ORDER BY document"  # noqa: S608
_OF_CASE = f"SELECT {_COLUMNS}, content FROM evidence WHERE number = :number ORDER BY document"  # noqa: S608
_EARLIER = text(
    f"""
    SELECT {_COLUMNS}, content FROM evidence
    WHERE applicant = :applicant AND paper = :paper AND source = :source AND status = 'used' AND origin IS NULL
        AND content IS NOT NULL AND valid_until >= :today
    ORDER BY answered_at DESC LIMIT :most
    """  # noqa: S608
)
_WAITING = text(
    f"""
    SELECT {_COLUMNS} FROM evidence
    WHERE source_kind = :kind AND source = :source AND status IN ('asked', 'overdue')
        AND (CAST(:area AS text) IS NULL OR EXISTS (
            SELECT FROM cases WHERE cases.number = evidence.number AND starts_with(cases.region, :area)))
        AND (CAST(:after_due AS timestamptz) IS NULL OR (due_at, id) > (:after_due, CAST(:after_id AS uuid)))
    ORDER BY due_at, id LIMIT :most
    """  # noqa: S608
)
_OF_APPLICANT = text(
    f"""
    SELECT {_COLUMNS} FROM evidence
    WHERE applicant = :applicant AND consented_at IS NOT NULL
        AND (CAST(:before AS timestamptz) IS NULL OR (consented_at, id) < (:before, CAST(:before_id AS uuid)))
    ORDER BY consented_at DESC, id DESC LIMIT :most
    """  # noqa: S608
)
_LAG = text(
    """
    SELECT source, count(*) FILTER (WHERE status = 'overdue') AS overdue, min(asked_at) AS oldest
    FROM evidence WHERE status IN ('asked', 'overdue') GROUP BY source
    """
)
_ADD_CONSENT = text(
    """
    INSERT INTO evidence_consents (id, evidence, applicant, given_by, channel, given_at, until)
    VALUES (CAST(:id AS uuid), CAST(:evidence AS uuid), :applicant, :given_by, :channel, :at, :until)
    """
)
_END_CONSENT = text(
    "UPDATE evidence_consents SET ended_at = :at, end_reason = :reason"
    " WHERE evidence = CAST(:evidence AS uuid) AND ended_at IS NULL"
)


def insert(session: Session, evidence: Evidence) -> None:
    session.execute(_INSERT, asdict(evidence))


def save(session: Session, evidence: Evidence) -> None:
    session.execute(_SAVE, {name: getattr(evidence, name) for name in _CHANGING} | {"id": evidence.id})


def save_content(session: Session, seal: Seal, evidence_id: str, content: Content | None) -> None:
    """`None` deletes what it said."""
    sealed = None
    if content is not None:
        sealed = seal.close(json.dumps(asdict(content), ensure_ascii=False).encode(), evidence_id.encode())
    session.execute(_SAVE_CONTENT, {"id": evidence_id, "content": sealed})


def load(
    session: Session, seal: Seal, evidence_id: str, *, for_update: bool = False
) -> tuple[Evidence, Content] | None:
    row = session.execute(text(_LOAD + (" FOR UPDATE" if for_update else "")), {"id": evidence_id}).one_or_none()
    return None if row is None else _opened(row, seal)


def list_of_case(
    session: Session, seal: Seal, number: str, *, for_update: bool = False
) -> list[tuple[Evidence, Content]]:
    statement = text(_OF_CASE + (" FOR UPDATE" if for_update else ""))
    return [_opened(row, seal) for row in session.execute(statement, {"number": number})]


def list_states(session: Session, number: str, *, for_update: bool = False) -> list[Evidence]:
    """The evidence of a case without what it says: nothing is opened."""
    statement = text(_STATES + (" FOR UPDATE" if for_update else ""))
    return [Evidence(*row) for row in session.execute(statement, {"number": number})]


def list_earlier(session: Session, seal: Seal, wanted: Evidence, today: date) -> list[tuple[Evidence, Content]]:
    """The same paper of the same source, fetched and used for earlier cases of the applicant, and good today."""
    values = {"applicant": wanted.applicant, "paper": wanted.paper, "source": wanted.source}
    rows = session.execute(_EARLIER, values | {"today": today, "most": _MOST_EARLIER})
    return [_opened(row, seal) for row in rows]


def list_waiting(
    session: Session, kind: str, source: str, area: str | None, after: tuple[datetime, str] | None, most: int
) -> list[Evidence]:
    """What a source has not answered, the most urgent first, behind `after` (`due_at`, `id`). Nothing is opened.

    `area`: only for cases that are decided there.
    """
    values: dict[str, Any] = {"kind": kind, "source": source, "area": area, "most": most}
    values |= {"after_due": after[0] if after else None, "after_id": after[1] if after else None}
    return [Evidence(*row) for row in session.execute(_WAITING, values)]


def list_of_applicant(
    session: Session, applicant: str, before: tuple[datetime, str] | None, most: int
) -> list[Evidence]:
    """What they have consented to, the newest first, behind `before` (`consented_at`, `id`). Nothing is opened."""
    values: dict[str, Any] = {"applicant": applicant, "most": most}
    values |= {"before": before[0] if before else None, "before_id": before[1] if before else None}
    return [Evidence(*row) for row in session.execute(_OF_APPLICANT, values)]


def measure(session: Session) -> Sequence[Row[Any]]:
    """Of each source that has not answered: how many requests are overdue, and when the oldest was made."""
    return session.execute(_LAG).all()


def add_consent(session: Session, evidence: Evidence, given_by: str, channel: str) -> None:
    session.execute(
        _ADD_CONSENT,
        {
            "id": str(uuid.uuid4()),
            "evidence": evidence.id,
            "applicant": evidence.applicant,
            "given_by": given_by,
            "channel": channel,
            "at": evidence.consented_at,
            "until": evidence.consented_until,
        },
    )


def end_consent(session: Session, evidence_id: str, reason: str, at: datetime) -> None:
    session.execute(_END_CONSENT, {"evidence": evidence_id, "reason": reason, "at": at})


def _opened(row: Row[Any], seal: Seal) -> tuple[Evidence, Content]:
    *columns, content = tuple(row)
    evidence = Evidence(*columns)
    if content is None:
        return evidence, Content()
    return evidence, Content(**json.loads(seal.open(bytes(content), evidence.id.encode())))
