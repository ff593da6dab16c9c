"""The rows of registers, of what they are asked, and of agreements with sources."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import DateTime, Row, any_, bindparam, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_unless

from chassis.database import Session
from chassis.sealing import Seal, SealedOtherwise
from chassis.webhooks.rules import Breaker
from services.cases.registries.agreements import Agreement, Terms
from services.cases.registries.domain import Asked, Registry
from services.cases.registries.tables import registries, registry_questions, source_agreements

log = logging.getLogger(__name__)

PURPOSE: Final = "onehall.cases.registry-questions"

_REGISTRY = tuple(registries.c[name] for name in ("name", "owner", "is_department", "url", "client_id", "kinds"))

# whoever takes questions of a register holds its row, so that two replicas never count its places at once; one that is
# held is left for the next turn. Only those of which something is due: nothing is locked while nothing happens
_HOLD = text(
    """
    SELECT name FROM registries
    WHERE name = ANY(:usable) AND ended_at IS NULL AND (rests_until IS NULL OR rests_until <= :now) AND EXISTS (
        SELECT FROM registry_questions
        WHERE registry = registries.name AND outcome IS NULL AND next_attempt_at <= :now AND until > :now)
    ORDER BY name FOR NO KEY UPDATE SKIP LOCKED
    """
).bindparams(bindparam("now", type_=DateTime(timezone=True)))

# a statement of its own behind the lock, for it to see what others have taken. One that answers nothing gets one probe
# at a time over all replicas, and no other question waits for it. `busy` are those that are under way here though
# nobody waits for them any more
_CLAIM = text(
    """
    UPDATE registry_questions SET attempts = attempts + 1, next_attempt_at = :taken_until, taken_until = :taken_until
    WHERE id IN (
        SELECT due.id FROM registries
        LEFT JOIN unnest(CAST(:busy AS text[]), CAST(:taken AS int[])) AS under_way (registry, places)
            ON under_way.registry = registries.name
        CROSS JOIN LATERAL (
            SELECT count(*) AS places FROM registry_questions
            WHERE registry = registries.name AND outcome IS NULL AND taken_until > :now
        ) AS everywhere
        CROSS JOIN LATERAL (
            SELECT id, next_attempt_at FROM registry_questions
            WHERE registry = registries.name AND outcome IS NULL AND next_attempt_at <= :now AND until > :now
            ORDER BY next_attempt_at, id
            LIMIT greatest(0, CASE WHEN failures > 0 THEN 1 ELSE :each END
                - greatest(coalesce(under_way.places, 0), everywhere.places))
            FOR UPDATE SKIP LOCKED
        ) AS due
        WHERE registries.name = ANY(:held)
        ORDER BY due.next_attempt_at LIMIT :most
    )
    RETURNING CAST(id AS text) AS id, CAST(evidence AS text) AS evidence, number, asks, registry, kind, item,
        attempts, keys
    """
).bindparams(bindparam("now", type_=DateTime(timezone=True)), bindparam("taken_until", type_=DateTime(timezone=True)))


# Registers


def save_registry(session: Session, registry: Registry, now: datetime) -> None:
    """One that is there under the name is replaced, and comes back if it was ended."""
    values = {
        "name": registry.name,
        "owner": registry.owner,
        "is_department": registry.is_department,
        "url": registry.url,
        "client_id": registry.client_id,
        "kinds": list(registry.kinds),
        "made_at": now,
    }
    fresh = {name: value for name, value in values.items() if name not in ("name", "made_at")}
    saved = insert_unless(registries).values(values)
    again = fresh | {"ended_at": None, "failures": 0, "rests_until": None}
    session.execute(saved.on_conflict_do_update(index_elements=["name"], set_=again))


def end_registry(session: Session, name: str, now: datetime) -> bool:
    row = registries.c
    ended = update(registries).where(row.name == name, row.ended_at.is_(None)).values(ended_at=now)
    return bool(session.execute(ended).rowcount)


def list_registries(session: Session) -> list[Row[Any]]:
    """All columns, by name; the ended ones too."""
    return list(session.execute(select(registries).order_by(registries.c.name)))


def get_registry(session: Session, name: str) -> Registry | None:
    row = session.execute(select(*_REGISTRY).where(registries.c.name == name)).one_or_none()
    return None if row is None else _registry(row)


def find_registry(session: Session, owner: str, kind: str) -> Registry | None:
    """The one in use that answers for `owner` and has the kind."""
    row = registries.c
    found = select(*_REGISTRY).where(row.owner == owner, literal(kind) == any_(row.kinds), row.ended_at.is_(None))
    first = session.execute(found.order_by(row.name).limit(1)).one_or_none()
    return None if first is None else _registry(first)


def get_breaker(session: Session, name: str) -> Breaker:
    """Locked, so that what two replicas saw is not taken for what one did; new questions are asked meanwhile."""
    row = registries.c
    found = session.execute(
        select(row.failures, row.rests_until).where(row.name == name).with_for_update(key_share=True)
    ).one()
    return Breaker(found.failures, found.rests_until)


def save_breaker(session: Session, name: str, breaker: Breaker) -> None:
    values = {"failures": breaker.failures, "rests_until": breaker.rests_until}
    session.execute(update(registries).where(registries.c.name == name).values(values))


# Questions


def add_question(session: Session, seal: Seal, question: Asked, until: datetime, now: datetime) -> None:
    """One that is there already stays as it is."""
    values = {
        "id": question.id,
        "registry": question.registry.name,
        "evidence": question.evidence,
        "number": question.number,
        "asks": question.asks,
        "kind": question.kind,
        "item": question.item,
        "keys": seal.close(json.dumps(dict(question.keys)).encode(), question.id.encode()),
        "next_attempt_at": now,
        "until": until,
        "asked_at": now,
    }
    session.execute(insert_unless(registry_questions).values(values).on_conflict_do_nothing(index_elements=["id"]))


def claim(
    session: Session,
    seal: Seal,
    usable: Collection[str],
    busy: Mapping[str, int],
    each: int,
    most: int,
    now: datetime,
    taken_until: datetime,
) -> list[Asked]:
    """Take what is due until `taken_until`: whoever dies with it before it is settled leaves it to the next one.

    `usable` are the registers that can be asked here; `each` are to be under way to one at most, over all replicas,
    `most` new ones in all. What does not open is over.
    """
    held = list(session.execute(_HOLD, {"usable": list(usable), "now": now}).scalars())
    if not held:
        return []
    values = {"held": held, "busy": list(busy), "taken": list(busy.values()), "each": each, "most": most}
    rows = session.execute(_CLAIM, values | {"now": now, "taken_until": taken_until}).all()
    if not rows:
        return []
    names = {row.registry for row in rows}
    found = session.execute(select(*_REGISTRY).where(registries.c.name.in_(names)))
    by_name = {row.name: _registry(row) for row in found}
    asked = []
    for row in rows:
        try:
            keys = json.loads(seal.open(bytes(row.keys), row.id.encode()))
        except SealedOtherwise:
            log.error("question %s does not open: it was sealed with another ONEHALL_CASES_KEY", row.id)  # noqa: TRY400
            finish(session, row.id, "sealed-otherwise", now)
        else:
            about = (row.id, row.evidence, row.number, row.asks)
            asked.append(Asked(*about, by_name[row.registry], row.kind, row.item, row.attempts, keys))
    return asked


def finish(session: Session, question: str, outcome: str, now: datetime) -> None:
    """It is over: what was asked is forgotten."""
    row = registry_questions.c
    over = update(registry_questions).where(row.id == question, row.outcome.is_(None))
    session.execute(over.values(_over(outcome, now)))


def _over(outcome: str, now: datetime) -> dict[str, Any]:
    return {"outcome": outcome, "finished_at": now, "keys": None, "next_attempt_at": None, "taken_until": None}


def finish_of_evidence(session: Session, evidence: str, outcome: str, now: datetime) -> None:
    """The same, of whatever is asked for it."""
    row = registry_questions.c
    over = update(registry_questions).where(row.evidence == evidence, row.outcome.is_(None))
    session.execute(over.values(_over(outcome, now)))


def put_off(session: Session, question: str, until: datetime) -> None:
    row = registry_questions.c
    still = update(registry_questions).where(row.id == question, row.outcome.is_(None))
    session.execute(still.values(next_attempt_at=until, taken_until=None))


def finish_of_registry(session: Session, registry: str, outcome: str, now: datetime) -> None:
    """The same, of whatever is asked of it."""
    row = registry_questions.c
    over = update(registry_questions).where(row.registry == registry, row.outcome.is_(None))
    session.execute(over.values(_over(outcome, now)))


def finish_late(session: Session, now: datetime) -> None:
    """Those whose time is over, at most 100."""
    row = registry_questions.c
    late = select(row.id).where(row.outcome.is_(None), row.until <= now).limit(100).with_for_update(skip_locked=True)
    over = update(registry_questions).where(row.id.in_(late.scalar_subquery())).values(_over("late", now))
    session.execute(over)


def delete_over(session: Session, before: datetime) -> None:
    """At most 1,000 of those that were over before then."""
    row = registry_questions.c
    some = select(row.id).where(row.finished_at < before).limit(1_000).scalar_subquery()
    session.execute(delete(registry_questions).where(row.id.in_(some)))


def measure(session: Session) -> tuple[int, Any]:
    """How many wait, and since when the oldest does."""
    row = registry_questions.c
    count, oldest = session.execute(select(func.count(), func.min(row.asked_at)).where(row.outcome.is_(None))).one()
    return count, oldest


# Agreements


def add_agreement(session: Session, source: str, reference: str, terms: Terms, now: datetime) -> Agreement | None:
    """`None` if the source has one of that reference."""
    values = {
        "source": source,
        "reference": reference,
        "documents": _documents(terms),
        "items": list(terms.items),
        "starts_at": terms.starts_at,
        "ends_at": terms.ends_at,
        "made_at": now,
    }
    added = insert_unless(source_agreements).values(values)
    added = added.on_conflict_do_nothing(index_elements=["source", "reference"])
    row = session.execute(added.returning(source_agreements)).one_or_none()
    return None if row is None else _agreement(row)


def agreements_of(session: Session, source: str) -> list[Agreement]:
    found = select(source_agreements).where(source_agreements.c.source == source)
    return [_agreement(row) for row in session.execute(found)]


def list_agreements(session: Session) -> list[Agreement]:
    """By source; the ended ones too."""
    row = source_agreements.c
    return [_agreement(found) for found in session.execute(select(source_agreements).order_by(row.source, row.made_at))]


def extend_agreement(session: Session, source: str, reference: str, ends_at: datetime) -> Agreement | None:
    """`None` for one that is not there or was ended."""
    return _change_agreement(session, source, reference, {"ends_at": ends_at})


def end_agreement(session: Session, source: str, reference: str, now: datetime) -> Agreement | None:
    """`None` for one that is not there or was ended."""
    return _change_agreement(session, source, reference, {"ended_at": now})


def _change_agreement(session: Session, source: str, reference: str, values: Mapping[str, Any]) -> Agreement | None:
    row = source_agreements.c
    of_paper = (row.source == source, row.reference == reference, row.ended_at.is_(None))
    changed = update(source_agreements).where(*of_paper).values(**values).returning(source_agreements)
    found = session.execute(changed).one_or_none()
    return None if found is None else _agreement(found)


def _documents(terms: Terms) -> dict[str, list[str] | None]:
    return {kind: None if fields is None else list(fields) for kind, fields in terms.documents.items()}


def _agreement(row: Row[Any]) -> Agreement:
    documents = {kind: None if fields is None else tuple(fields) for kind, fields in row.documents.items()}
    terms = Terms(documents, tuple(row.items), row.starts_at, row.ends_at)
    return Agreement(row.id, row.source, row.reference, terms, row.ended_at)


def _registry(row: Row[Any]) -> Registry:
    return Registry(row.name, row.owner, row.is_department, row.url, row.client_id, tuple(row.kinds))
