"""Making a report and answering it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from chassis import outbox
from chassis.database import Session
from chassis.limits import put_back
from contracts import access
from contracts.actors import Actor
from contracts.errors import ActionNotAllowed, NotFound
from contracts.events import LookAnswered, LookReported
from services.identity import store as identity_store
from services.identity.access_log.commands import note_look
from services.identity.access_log.domain import Look
from services.identity.access_log.queries import require_self
from services.identity.limits.domain import LOOK_REPORT
from services.identity.limits.guard import LimitKeys, require_tries
from services.identity.look_reports import store
from services.identity.look_reports.domain import (
    ANSWERED,
    MOST_ANSWER,
    MOST_REASON,
    require_impartial,
    require_text,
)
from services.identity.sealing import Seal
from services.identity.staff.domain import AUDITOR, require_auditor


def report_look(
    session: Session,
    seal: Seal,
    limits: LimitKeys,
    actor: Actor,
    entry: str,
    reason: str,
    now: datetime,
    within: timedelta,
) -> None:
    """An entry of one's own; what is reported already stays as it was said.

    Raise `NotPermitted` for who acts for somebody else, `NotFound`, `InvalidInput`, `TooManyAttempts`.
    """
    account = require_self(actor, "report_look")
    said = require_text("/reason", reason, MOST_REASON)
    if store.get_own_entry(session, account, _require_id("access-log-entry", entry)) is None:
        raise NotFound("access-log-entry", entry)
    buckets = [limits.bucket(LOOK_REPORT, account)]
    require_tries(session, buckets, now)
    report = str(uuid.uuid4())
    row = {"id": report, "entry": entry, "account": account, "reported_at": now, "due_at": now + within}
    if not store.add(session, row | {"reason": seal.close(said.encode(), report.encode())}):
        put_back(session, buckets)
        return
    sequence = identity_store.raise_sequence(session, account)
    outbox.add(session, LookReported(account, report), sequence=sequence, actor=actor)


def answer_report(session: Session, seal: Seal, actor: Actor, report: str, answer: str, now: datetime) -> None:
    """Once, by an auditor whom it is not about.

    Raise `NotPermitted`, `NotFound`, `InvalidInput`, or `ActionNotAllowed` for one that is answered.
    """
    require_auditor(actor)
    said = require_text("/answer", answer, MOST_ANSWER)
    row = store.lock(session, _require_id("look-report", report))
    if row is None:
        raise NotFound("look-report", report)
    require_impartial(actor, row.account, row.viewer)
    if row.answered_at is not None:
        raise ActionNotAllowed("answer", ANSWERED)
    store.save_answer(session, row.id, seal.close(said.encode(), row.id.encode()), actor.subject, now)
    note_reading(session, actor, row.account, now)
    sequence = identity_store.raise_sequence(session, row.account)
    outbox.add(session, LookAnswered(row.account, row.id), sequence=sequence, actor=actor)


def note_reading(session: Session, actor: Actor, account: str, now: datetime) -> None:
    """Whoever looks into a report sees an entry of the citizen's log."""
    note_look(session, Look.by(actor, account, access.ACCESS_LOG, role=AUDITOR, purpose=access.COMPLAINT), now)


def _require_id(what: str, said: str) -> str:
    try:
        return str(uuid.UUID(said))
    except (ValueError, AttributeError, TypeError):
        raise NotFound(what, "") from None
