"""Somebody says that what is confirmed as another's is theirs. That other hears of it, and nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert as upsert

from chassis import outbox
from chassis.database import Session
from contracts.actors import SYSTEM
from contracts.events import DetailsClaimed
from services.identity import store as identity_store
from services.identity.persons.tables import claim_notices

AGAIN_AFTER = timedelta(days=1)
"""Or anybody could fill somebody's inbox by registering with their address again and again."""


def tell_holder(session: Session, subject: str, now: datetime) -> None:
    row = {"subject": subject, "told_at": now}
    is_long_ago = claim_notices.c.told_at <= now - AGAIN_AFTER
    told = (
        upsert(claim_notices).values(row).on_conflict_do_update(index_elements=["subject"], set_=row, where=is_long_ago)
    )
    if session.execute(told.returning(claim_notices.c.subject)).first() is not None:
        sequence = identity_store.raise_sequence(session, subject)
        outbox.add(session, DetailsClaimed(subject), sequence=sequence, actor=SYSTEM)
