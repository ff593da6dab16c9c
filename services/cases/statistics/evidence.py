"""How a source of evidence answers what it is asked: how much, in time or not, how fast.

Counted as it stands, by the last time that each document was asked for: nothing is counted twice when it is asked anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, text

from chassis.database import Session
from services.cases.catalogue.model import Catalogue
from services.cases.evidence.views import paper_name
from services.cases.work.clock import start_of

MOST_ROWS: Final = 200

_COUNTS: Final = """
    count(*) AS asked,
    count(*) FILTER (WHERE answered_at IS NOT NULL AND NOT was_late) AS in_time,
    count(*) FILTER (WHERE was_late) AS late,
    count(*) FILTER (WHERE was_late AND answered_at IS NULL) AS unanswered,
    count(*) FILTER (WHERE status = 'asked') AS waiting,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY answered_at - asked_at) AS median
"""
_OF: Final = {"department": " AND source = :department", "item": " AND item = :item"}
# whoever fetched it from a certificate or an earlier answer asked nobody
_FIGURES: Final = """
    SELECT source, paper, GROUPING(source) = 1 AS is_total, {counts}
    FROM evidence WHERE asked_at >= :since AND asked_at < :until AND origin IS NULL{of}
    GROUP BY GROUPING SETS ((), (source, paper))
    ORDER BY is_total DESC, late DESC, asked DESC, source, paper LIMIT :most
"""


def figures_of(session: Session, catalogue: Catalogue, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of a `department` as a source (or of all), for an `item` (or any), asked from the month `since` up to the month
    `until`, both their first days: counts, `median_seconds` from asking to answer (`None` without any), and the same
    in `papers` for each source and kind of paper, those with the most late first.
    """
    conditions = "".join(condition for name, condition in _OF.items() if values[name] is not None)
    period = {"since": start_of(values["since"]), "until": _end_of(values["until"]), "most": MOST_ROWS + 1}
    statement = text(_FIGURES.format(counts=_COUNTS, of=conditions))
    total, *rows = session.execute(statement, {**values, **period})
    papers = [
        {"source": row.source, "paper": row.paper, "paper_name": paper_name(row.paper, catalogue), **_counts(row)}
        for row in rows
    ]
    return {**_counts(total), "papers": papers}


def _counts(row: Row[Any]) -> dict[str, Any]:
    counted = {name: getattr(row, name) for name in ("asked", "in_time", "late", "unanswered", "waiting")}
    median: timedelta | None = row.median
    return counted | {"median_seconds": None if median is None else round(median.total_seconds())}


def _end_of(month: date) -> datetime:
    """The first moment behind it."""
    if (month.year, month.month) == (date.max.year, date.max.month):
        return datetime.max.replace(tzinfo=UTC)
    return start_of((month.replace(day=28) + timedelta(days=4)).replace(day=1))
