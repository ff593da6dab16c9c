"""The tables of cases, and the few statements that load and save. Core only: the ORM's Python is the cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    SmallInteger,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from chassis import outbox
from chassis.database import Session
from services.cases.domain import Case, Change

metadata = MetaData()

cases = Table(
    "cases",
    metadata,
    Column("number", Text, primary_key=True),
    Column("item", Text, nullable=False),
    Column("item_version", Integer, nullable=False),
    Column("department", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("applicant", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("status", Text, nullable=False),
    Column("status_before_correction", Text),
    Column("decision", Text),
    Column("sequence", Integer, nullable=False),
    Column("step", Text),
    Column("handler", Text),
    Column("assignee", Text),
    Column("asked_at", DateTime(timezone=True)),
    Column("answer_by", Date),
    Column("delivered_by", Text),
    Column("reopened_at", DateTime(timezone=True)),
    Column("clock_from", Date),
    Column("promised_left", Integer),
    Column("statutory_left", Integer),
    Column("due_on", Date),
    Column("statutory_due_on", Date),
    Column("due_stage", SmallInteger, nullable=False),
    Column("is_beyond_statute", Boolean, nullable=False),
    Column("is_due_tentative", Boolean, nullable=False),
    Column("form", JSONB, nullable=False),
    Column("idempotency_key", Text),
    Column("request_digest", LargeBinary, nullable=False),
    Column("joint", Text),
    Column("filed_hall", Text),
    Column("papers", Text),
)

case_history = Table(
    "case_history",
    metadata,
    Column("number", Text, ForeignKey("cases.number"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_subject", Text, nullable=False),
    Column("note", Text),
    Column("details", JSONB(none_as_null=True)),
    Column("hall", Text),  # of what was done at its counter
)

_CASE = tuple(cases.c[field.name] for field in fields(Case))

# One round trip for the case and the first line of its history. A key that is in use files nothing, and waits for
# the transaction that is about to use it.
_FILE = text(
    """
    WITH filed AS (
        INSERT INTO cases (
            number, item, item_version, department, region, kind, applicant, channel, submitted_at, updated_at,
            status, sequence, form, idempotency_key, request_digest,
            step, handler, clock_from, promised_left, statutory_left, due_on, statutory_due_on, is_due_tentative,
            joint, filed_hall, papers
        ) VALUES (
            next_case_number(:day), :item, :item_version, :department, :region, :kind, :applicant, :channel, :at, :at,
            'submitted', 1, CAST(:form AS jsonb), :idempotency_key, :request_digest,
            :step, :handler, :clock_from, :promised_left, :statutory_left, :due_on, :statutory_due_on,
            :is_due_tentative, :joint, :filed_hall, :papers
        )
        ON CONFLICT (applicant, idempotency_key) DO NOTHING
        RETURNING number, applicant, channel, submitted_at
    ), entry AS (
        INSERT INTO case_history (number, sequence, at, event, channel, actor, actor_subject, hall, details)
        SELECT number, 1, submitted_at, 'case.submitted', channel, :actor, :actor_subject, :hall,
            CAST(:details AS jsonb) FROM filed
    )
    SELECT number FROM filed
    """
)
_FILED = select(*_CASE, cases.c.request_digest).where(
    cases.c.applicant == bindparam("applicant"), cases.c.idempotency_key == bindparam("idempotency_key")
)
_LOAD = select(*_CASE).where(cases.c.number == bindparam("case_number"))
_LOAD_WITH_FORM = select(*_CASE, cases.c.form).where(cases.c.number == bindparam("case_number"))
_LOCK = _LOAD.with_for_update()
_LOCK_AT_ONCE = _LOAD.with_for_update(skip_locked=True)
_TENTATIVE = (
    select(*_CASE)
    .where(cases.c.is_due_tentative)
    .where(func.greatest(cases.c.due_on, cases.c.statutory_due_on) < bindparam("known_until"))
    .limit(bindparam("row_limit"))
    .with_for_update(skip_locked=True)
)
_HISTORY = (
    select(case_history).where(case_history.c.number == bindparam("case_number")).order_by(case_history.c.sequence)
)
_CHANGING = (
    *("status", "status_before_correction", "decision", "sequence", "updated_at", "step", "handler", "assignee"),
    *("asked_at", "answer_by", "delivered_by", "reopened_at", "clock_from", "promised_left", "statutory_left"),
    *("due_on", "statutory_due_on", "due_stage", "is_beyond_statute", "is_due_tentative"),
    *("department", "region", "papers"),
)
_BEGUN = (
    *("step", "handler", "clock_from", "promised_left", "statutory_left", "due_on", "statutory_due_on"),
    "is_due_tentative",
)
_CHANGE = (
    update(cases)
    .where(cases.c.number == bindparam("case_number"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_DATES = (
    update(cases)
    .where(cases.c.number == bindparam("case_number"))
    .values({name: bindparam(f"new_{name}") for name in ("due_on", "statutory_due_on", "is_due_tentative")})
)
_CORRECT = update(cases).where(cases.c.number == bindparam("case_number")).values(form=bindparam("new_form"))
_ADD_ENTRY = insert(case_history)
_NEWEST = select(*_CASE).order_by(cases.c.number.desc()).limit(bindparam("row_limit"))


@dataclass(frozen=True, slots=True)
class Filing:
    """A request that was checked and is ready to become a case. `form` is canonical JSON.

    `actor` is the role word and `actor_subject` the account of who filed it: the applicant, or somebody for them;
    `hall` where, if at a counter, and `checks` how it was seen there who the applicant is. `documents` are the uploads
    that it names, if it says so.
    """

    item: str
    item_version: int
    department: str
    region: str
    kind: str
    applicant: str
    channel: str
    form: str
    idempotency_key: str | None
    request_digest: bytes
    actor: str
    actor_subject: str
    hall: str | None = None
    joint: str | None = None
    filed_hall: str | None = None
    papers: str | None = None
    documents: tuple[str, ...] | None = None
    checks: tuple[str, ...] = ()


def insert_case(session: Session, filing: Filing, begun: Case, *, day: date) -> str | None:
    """Give the new case's number, or `None` if the applicant used the key before. `begun` is the case but for it."""
    apart = ("documents", "checks")
    values = {field.name: getattr(filing, field.name) for field in fields(Filing) if field.name not in apart}
    values["details"] = json.dumps({"checks": filing.checks}) if filing.checks else None
    values |= {name: getattr(begun, name) for name in _BEGUN} | {"day": day, "at": begun.submitted_at}
    number: str | None = session.execute(_FILE, values).scalar_one_or_none()
    return number


def load_filed(session: Session, applicant: str, idempotency_key: str) -> tuple[Case, bytes]:
    """The case that was filed with this key, and the digest of that request."""
    row = session.execute(_FILED, {"applicant": applicant, "idempotency_key": idempotency_key}).one()
    return Case(*row[:-1]), bytes(row[-1])


def find_filed(session: Session, applicant: str, idempotency_key: str) -> Case | None:
    """The case that was filed with this key, if one was."""
    values = {"applicant": applicant, "idempotency_key": idempotency_key}
    row = session.execute(_FILED, values).one_or_none()
    return None if row is None else Case(*row[:-1])


def load_case(session: Session, number: str) -> Case | None:
    row = session.execute(_LOAD, {"case_number": number}).one_or_none()
    return None if row is None else Case(*row)


def load_case_with_form(session: Session, number: str) -> tuple[Case, dict[str, Any]] | None:
    row = session.execute(_LOAD_WITH_FORM, {"case_number": number}).one_or_none()
    return None if row is None else (Case(*row[:-1]), row[-1])


def lock_case(session: Session, number: str) -> Case | None:
    """The case, for this transaction alone: whoever holds it gives the next sequences."""
    row = session.execute(_LOCK, {"case_number": number}).one_or_none()
    return None if row is None else Case(*row)


def lock_case_at_once(session: Session, number: str) -> Case | None:
    """The same, or `None` while somebody else holds it."""
    row = session.execute(_LOCK_AT_ONCE, {"case_number": number}).one_or_none()
    return None if row is None else Case(*row)


def load_history(session: Session, number: str) -> list[Row[Any]]:
    return list(session.execute(_HISTORY, {"case_number": number}))


def save_change(session: Session, change: Change, note: str | None = None) -> None:
    """Save what a locked case has become, its new history, and its events."""
    case = change.case
    values = {f"new_{name}": getattr(case, name) for name in _CHANGING}
    session.execute(_CHANGE, values | {"case_number": case.number})
    session.execute(_ADD_ENTRY, [_entry(change, sequence, event.type, note) for sequence, event in change.entries])
    add_events(session, change)


def lock_tentative_cases(session: Session, known_until: date, limit: int) -> list[Case]:
    """Some whose dates waited for a year to be published that is known now, but those that somebody else holds."""
    rows = session.execute(_TENTATIVE, {"known_until": known_until, "row_limit": limit})
    return [Case(*row) for row in rows]


def save_dates(session: Session, case: Case) -> None:
    values = {f"new_{name}": getattr(case, name) for name in ("due_on", "statutory_due_on", "is_due_tentative")}
    session.execute(_DATES, values | {"case_number": case.number})


def add_events(session: Session, change: Change) -> None:
    for sequence, event in change.entries:
        keys = change.other_keys(event)
        outbox.add(session, event, sequence=sequence, actor=change.actor, other_keys=keys)


def save_form(session: Session, number: str, form: dict[str, Any]) -> None:
    session.execute(_CORRECT, {"case_number": number, "new_form": form})


def list_cases(session: Session, wanted: Mapping[str, str | None], *, before: str | None, limit: int) -> list[Case]:
    """The newest first, from behind the number `before`; those with the wanted values of columns."""
    statement: Select[Any] = _NEWEST
    values: dict[str, Any] = {"row_limit": limit}
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(cases.c[name] == bindparam(f"its_{name}"))
            values[f"its_{name}"] = value
    if before is not None:
        statement = statement.where(cases.c.number < bindparam("before"))
        values["before"] = before
    return [Case(*row) for row in session.execute(statement, values)]


def _entry(change: Change, sequence: int, event: str, note: str | None) -> dict[str, Any]:
    # a note is said once, with the decision, not again with the closing that follows from it
    first = sequence == change.entries[0][0]
    return {
        "number": change.case.number,
        "sequence": sequence,
        "at": change.case.updated_at,
        "event": event,
        "channel": change.actor.channel,
        "actor": change.actor.role,
        "actor_subject": change.actor.hand,
        "note": note if first else None,
        "details": (dict(change.details) or None) if first else None,
        "hall": change.actor.counter,
    }
