"""The tables of joint cases. A part's form stands here until it begins; the case has it then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, text

from chassis.database import Session
from contracts.actors import Actor
from services.cases.domain import Case
from services.cases.joint.domain import JointCase, Part


class Held(NamedTuple):
    """A part that is about to be filed, or waits for others."""

    item: str
    item_version: int
    needs: Sequence[str]
    form: str


_CASE = [field.name for field in fields(Case)]
_CASE_COLUMNS = ", ".join(f"c.{name} AS case_{name}" for name in _CASE)
_JOINT = "number, item, item_version, applicant, channel, submitted_at"

_INSERT = text(
    """
    INSERT INTO joint_cases (
        number, item, item_version, applicant, channel, submitted_at, idempotency_key, request_digest
    ) VALUES (
        next_case_number(:day), :item, :item_version, :applicant, :channel, :submitted_at, :idempotency_key,
        :request_digest
    )
    ON CONFLICT (applicant, idempotency_key) DO NOTHING
    RETURNING number
    """
)
_INSERT_PARTS = text(
    """
    INSERT INTO joint_parts (joint, position, item, item_version, needs, form)
    VALUES (:joint, :position, :item, :item_version, :needs, CAST(:form AS jsonb))
    """
)
_LOAD = text(f"SELECT {_JOINT} FROM joint_cases WHERE number = :number")  # noqa: S608
_LOCK = text(f"{_LOAD.text} FOR UPDATE")
_LOCK_OF = text("SELECT FROM joint_cases WHERE number = (SELECT joint FROM cases WHERE number = :number) FOR UPDATE")
_FILED = text(
    f"SELECT {_JOINT}, request_digest FROM joint_cases WHERE applicant = :applicant AND idempotency_key = :key"  # noqa: S608
)
_LIST = text(
    f"SELECT {_JOINT} FROM joint_cases WHERE applicant = :applicant"  # noqa: S608
    " AND (CAST(:before AS text) IS NULL OR number < :before) AND (CAST(:item AS text) IS NULL OR item = :item)"
    " ORDER BY number DESC LIMIT :limit"
)
_PARTS = text(
    f"SELECT p.joint, p.item, p.item_version, p.needs, p.withdrawn_at, {_CASE_COLUMNS}"  # noqa: S608
    " FROM joint_parts p LEFT JOIN cases c ON c.number = p.number"
    " WHERE p.joint = ANY(:numbers) ORDER BY p.joint, p.position"
)
_FORM = text("SELECT form FROM joint_parts WHERE joint = :joint AND item = :item")
_FORMS = text(
    "SELECT p.item, coalesce(p.form, c.form) AS form FROM joint_parts p LEFT JOIN cases c ON c.number = p.number"
    " WHERE p.joint = :joint AND p.withdrawn_at IS NULL"
)
_ENTRY = "at, event, channel, actor, note, details, hall"
_HISTORY = text(
    f"""
    SELECT h.number, h.sequence, {", ".join(f"h.{name}" for name in _ENTRY.split(", "))}, p.item, p.position
    FROM joint_parts p JOIN case_history h ON h.number = p.number WHERE p.joint = :joint
    UNION ALL
    SELECT NULL, NULL, b.at, b.event, b.channel, b.actor, NULL, NULL, b.hall, p.item, p.position
    FROM joint_parts p JOIN joint_part_history b ON (b.joint, b.item) = (p.joint, p.item) WHERE p.joint = :joint
    ORDER BY at, position, sequence NULLS FIRST
    """  # noqa: S608
)
_BEFORE = text(
    "SELECT NULL AS number, NULL AS sequence, at, event, channel, actor, NULL AS note, NULL AS details, hall"
    " FROM joint_part_history WHERE joint = :joint AND item = :item ORDER BY id"
)
_ADD_ENTRY = text(
    """
    INSERT INTO joint_part_history (joint, item, at, event, channel, actor, actor_subject, hall)
    VALUES (:joint, :item, :at, :event, :channel, :actor, :actor_subject, :hall)
    """
)
_HELD = text(
    """
    SELECT p.joint, p.item, p.form FROM joint_cases j JOIN joint_parts p ON p.joint = j.number
    WHERE j.applicant = :applicant AND p.form IS NOT NULL ORDER BY j.number DESC, p.position LIMIT :limit
    """
)
_BEGIN = text("UPDATE joint_parts SET number = :number, form = NULL WHERE joint = :joint AND item = :item")
_WITHDRAW = text("UPDATE joint_parts SET withdrawn_at = :at, form = NULL WHERE joint = :joint AND item = :item")
_CORRECT = text("UPDATE joint_parts SET form = CAST(:form AS jsonb) WHERE joint = :joint AND item = :item")
_NAMES = text("SELECT number, item FROM joint_cases WHERE number = ANY(:numbers)")


def insert(
    session: Session, joint: JointCase, parts: Sequence[Held], *, key: str | None, digest: str, day: date
) -> str | None:
    """The new number, or `None` if the applicant used the key before."""
    values = {name: getattr(joint, name) for name in ("item", "item_version", "applicant", "channel", "submitted_at")}
    number: str | None = session.execute(
        _INSERT, values | {"idempotency_key": key, "request_digest": digest, "day": day}
    ).scalar_one_or_none()
    if number is not None:
        rows = [
            part._asdict() | {"joint": number, "position": position, "needs": list(part.needs)}
            for position, part in enumerate(parts)
        ]
        session.execute(_INSERT_PARTS, rows)
    return number


def load(session: Session, number: str) -> JointCase | None:
    row = session.execute(_LOAD, {"number": number}).one_or_none()
    return None if row is None else JointCase(*row)


def lock(session: Session, number: str) -> JointCase | None:
    """For this transaction alone. Whoever acts on a part locks the whole first, then the part."""
    row = session.execute(_LOCK, {"number": number}).one_or_none()
    return None if row is None else JointCase(*row)


def lock_of(session: Session, number: str) -> None:
    """The same, of the joint case that the case is a part of, if it is one."""
    session.execute(_LOCK_OF, {"number": number})


def load_filed(session: Session, applicant: str, key: str) -> tuple[JointCase, str] | None:
    """The joint case that was filed with this key, and the digest of that request."""
    row = session.execute(_FILED, {"applicant": applicant, "key": key}).one_or_none()
    return None if row is None else (JointCase(*row[:-1]), row[-1])


def list_of(session: Session, applicant: str, item: str | None, before: str | None, limit: int) -> list[JointCase]:
    """The newest first."""
    values = {"applicant": applicant, "item": item, "before": before, "limit": limit}
    return [JointCase(*row) for row in session.execute(_LIST, values)]


def load_parts(session: Session, number: str) -> list[Part]:
    return parts_of(session, [number]).get(number, [])


def parts_of(session: Session, numbers: Sequence[str]) -> dict[str, list[Part]]:
    """Of each joint case its parts, with their cases as they are now."""
    found: dict[str, list[Part]] = {}
    for row in session.execute(_PARTS, {"numbers": list(numbers)}):
        columns = row._mapping
        case = Case(*(columns[f"case_{name}"] for name in _CASE)) if row.case_number is not None else None
        part = Part(row.item, row.item_version, tuple(row.needs), row.withdrawn_at, case)
        found.setdefault(row.joint, []).append(part)
    return found


def list_held(session: Session, applicant: str, limit: int) -> list[Row[Any]]:
    """The parts of somebody's joint cases that have not begun: `joint`, `item`, `form`."""
    return list(session.execute(_HELD, {"applicant": applicant, "limit": limit}))


def load_form(session: Session, joint: str, item: str) -> dict[str, Any]:
    """Of a part that has not begun."""
    form: dict[str, Any] = session.execute(_FORM, {"joint": joint, "item": item}).scalar_one()
    return form


def load_forms(session: Session, joint: str) -> dict[str, dict[str, Any]]:
    """Item -> its form as it stands now, of every part that was not withdrawn before it began."""
    return {row.item: row.form for row in session.execute(_FORMS, {"joint": joint})}


def load_history(session: Session, joint: str) -> list[Row[Any]]:
    """Of all parts in the order of time, each with its `item`; without a `number` what was before the part began."""
    return list(session.execute(_HISTORY, {"joint": joint}))


def load_before(session: Session, joint: str, item: str) -> list[Row[Any]]:
    """What was done to the part while it waited."""
    return list(session.execute(_BEFORE, {"joint": joint, "item": item}))


def add_entry(session: Session, joint: str, item: str, event: str, actor: Actor, at: datetime) -> None:
    """Who did what to a part that waits: it has no case, and so no history of its own."""
    who = {"channel": actor.channel, "actor": actor.role, "actor_subject": actor.hand, "hall": actor.counter}
    session.execute(_ADD_ENTRY, {"joint": joint, "item": item, "at": at, "event": event} | who)


def begin(session: Session, joint: str, item: str, number: str) -> None:
    session.execute(_BEGIN, {"joint": joint, "item": item, "number": number})


def withdraw(session: Session, joint: str, item: str, at: datetime) -> None:
    session.execute(_WITHDRAW, {"joint": joint, "item": item, "at": at})


def save_form(session: Session, joint: str, item: str, form: dict[str, Any]) -> None:
    session.execute(_CORRECT, {"joint": joint, "item": item, "form": json.dumps(form, ensure_ascii=False)})


def items_of(session: Session, numbers: Sequence[str]) -> dict[str, str]:
    """Number -> the joint item's code; one statement however many."""
    if not numbers:
        return {}
    return {row.number: row.item for row in session.execute(_NAMES, {"numbers": list(numbers)})}
