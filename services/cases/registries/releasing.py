"""When no agreement allows a source what it is asked any more, nobody waits for it: the applicant may bring it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import DateTime, bindparam, text

from chassis.database import Database
from contracts.actors import SYSTEM
from contracts.errors import ActionNotAllowed, NotFound, NotPermitted
from services.cases.evidence import commands, domain
from services.cases.evidence.desk import Desk
from services.cases.registries import commands as registries

BATCH: Final = 50

_UNCOVERED = text(
    """
    SELECT CAST(id AS text) FROM evidence
    WHERE source_kind = 'organisation' AND status IN ('asked', 'overdue') AND consented_until > :now
        AND NOT EXISTS (
            SELECT FROM source_agreements
            WHERE source_agreements.source = evidence.source AND ended_at IS NULL
                AND starts_at <= :now AND ends_at > :now
                AND documents ? evidence.paper AND items && ARRAY['*', evidence.item]
        )
    LIMIT :most
    """
).bindparams(bindparam("now", type_=DateTime(timezone=True)))


def release_uncovered(database: Database, desk: Desk, now: datetime) -> int:
    """Each in a transaction of its own, since each holds its case; how many there were."""
    with database.transaction() as session:
        uncovered = list(session.execute(_UNCOVERED, {"now": now, "most": BATCH}).scalars())
    for evidence in uncovered:
        with database.transaction() as session:
            try:
                commands.take_answer(session, desk, evidence, domain.Answer(domain.NEEDS_CITIZEN), SYSTEM, now)
            except (ActionNotAllowed, NotPermitted, NotFound):
                # answered or withdrawn meanwhile
                continue
            registries.withdraw(session, evidence, now)
    return len(uncovered)
