"""What auditors are told of the chain: how it stands, and how it was found when it was last walked.

The service walks it once a day by itself. That does not take the place of `onehall audit verify --known`: only an end
that is kept elsewhere finds a log that was set back as a whole.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from chassis import recently
from chassis.database import Database, Session
from services.identity import metrics
from services.identity.access_log import store
from services.identity.access_log.sealing import EndNotSealed, Report, load_end, verify
from services.identity.access_log.tables import checks
from services.identity.sealing import Seal

log = logging.getLogger(__name__)

EACH = timedelta(hours=23)
A_WALK = timedelta(minutes=50)
"""So long one replica has for it, before another may."""


def check_daily(database: Database, seal: Seal, now: datetime) -> Report | None:
    """None if another replica does it, or has done it. One that did not come to its end is begun again by the next."""
    with database.transaction() as session:
        last = _last(session)
        if last is not None:
            # whoever walked it: a page that began in one process ends in all
            metrics.access_log_broken.set(0 if last.fault is None else 1)
            if now - last.checked_at < EACH:
                return None
        if not recently.claim(session, [recently.key_of("access-log-check")], A_WALK, now):
            return None
    report = verify(database, seal)
    if report.fault is not None:
        log.error("the access log is broken: %s; see docs/operations.md", report.fault)
    with database.transaction() as session:
        note_check(session, report, now)
    metrics.access_log_broken.set(0 if report.fault is None else 1)
    return report


def note_check(session: Session, report: Report, now: datetime) -> None:
    row = {"checked_at": now, "position": report.end.position, "fault": report.fault}
    session.execute(insert(checks).values(row))


def get_chain(session: Session, seal: Seal) -> dict[str, Any]:
    """`end` is None, and `fault` says why, where nothing more can be sealed."""
    fault: str | None = None
    end = None
    try:
        end = load_end(session, seal)
    except EndNotSealed as error:
        fault = str(error)
    newest = store.load_newest_cut(session)
    cut = newest[0] if newest else None
    last = _last(session)
    return {
        "end": str(end) if end else None,
        "kept": end.position - (cut.last.position if cut else 0) if end else None,
        "unsealed": store.count_unsealed(session),
        "fault": fault,
        "cut": {"before": _moment(cut.before), "count": cut.last.position} if cut else None,
        "checked": _checked(last) if last else None,
    }


def _last(session: Session) -> Any | None:
    return session.execute(select(checks).order_by(checks.c.id.desc()).limit(1)).first()


def _checked(row: Any) -> dict[str, Any]:
    return {"at": _moment(row.checked_at), "position": row.position, "fault": row.fault}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
