"""Figures by month, counted from the history of events as it was published, and open cases as they stand now.

Events are counted behind the relay, in the order of their positions: whoever files or acts waits for no row of figures
that others want, too, and how far was counted stands in the transaction that counts. So nothing counts twice or not at
all, whatever dies, and what was filed before there were figures is counted the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row, text

from chassis.database import Session
from services.cases.work.clock import DUE_SOON, OVERDUE
from services.cases.work.states import OPEN

A_BATCH: Final = 5_000

KEPT, BEYOND_PROMISED, BEYOND_STATUTORY = 0, 1, 2
"""`kept` of a decision; 3 is beyond both."""

DECISIONS: Final = ("case.approved", "case.refused")
COUNTED: Final = (
    *("case.submitted", *DECISIONS, "case.not-accepted", "case.withdrawn", "case.lapsed"),
    *("case.correction-requested", "case.overdue", "case.reopened"),
)

# who counts holds the row; the other replicas have nothing to do meanwhile
_LOCK = text("SELECT position FROM case_figures_counted FOR UPDATE SKIP LOCKED")
_END = text(
    "SELECT max(position) FROM (SELECT position FROM outbox WHERE position > :begin ORDER BY position LIMIT :most) AS b"
)
# A routing key is `<word>.<word>.<department>.<region>.<kind>.<item>`. The days of a decision run from the filing, or
# from the last reopening before it; `kept` says which limits were told to have passed meanwhile.
_COUNT = text(
    """
    WITH happened AS (
        SELECT subject, sequence, created_at,
            split_part(routing_key, '.', 1) || '.' || split_part(routing_key, '.', 2) AS event,
            split_part(routing_key, '.', 3) AS department, split_part(routing_key, '.', 6) AS item
        FROM outbox WHERE position > :begin AND position <= :end
    ), counted AS (
        SELECT happened.*, c.channel, timed.days, timed.kept
        FROM happened JOIN cases c ON c.number = happened.subject
        LEFT JOIN LATERAL (
            SELECT (happened.created_at AT TIME ZONE :zone)::date - (h.at AT TIME ZONE :zone)::date AS days, (
                SELECT coalesce(sum(DISTINCT CASE details ->> 'limit' WHEN 'statutory' THEN 2 ELSE 1 END), 0)
                FROM case_history late WHERE late.number = h.number AND late.event = 'case.overdue'
                AND late.sequence > h.sequence AND late.sequence < happened.sequence
            ) AS kept
            FROM case_history h WHERE h.number = happened.subject AND h.sequence < happened.sequence
            AND h.event IN ('case.submitted', 'case.reopened')
            ORDER BY h.sequence DESC LIMIT 1
        ) AS timed ON happened.event = ANY (CAST(:decisions AS text[]))
        WHERE happened.event = ANY (CAST(:events AS text[]))
    )
    INSERT INTO case_figures AS known (department, month, item, channel, event, days, kept, count)
    SELECT department, date_trunc('month', created_at AT TIME ZONE :zone)::date, item, channel, event,
        least(coalesce(days, -1), 9999), coalesce(kept, -1), count(*)
    FROM counted GROUP BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (department, month, item, channel, event, days, kept)
    DO UPDATE SET count = known.count + excluded.count
    """
)
_MOVE = text("UPDATE case_figures_counted SET position = :end")


def count_batch(session: Session) -> int:
    """Count the next events; how many positions further it is. 0: nothing is left, or another replica counts."""
    begin = session.execute(_LOCK).scalar_one_or_none()
    end = None if begin is None else session.execute(_END, {"begin": begin, "most": A_BATCH}).scalar_one()
    if begin is None or end is None:
        return 0
    values = {"begin": begin, "end": end, "zone": "Asia/Shanghai"}
    session.execute(_COUNT, values | {"events": list(COUNTED), "decisions": list(DECISIONS)})
    session.execute(_MOVE, {"end": end})
    return int(end - begin)


_FIGURES = """
    SELECT event, month, channel, item, days, kept, CAST(sum(count) AS bigint) AS count,
        GROUPING(month) = 0 AS by_month, GROUPING(channel) = 0 AS by_channel
    FROM case_figures WHERE month BETWEEN :since AND :until{of}
    GROUP BY GROUPING SETS ((event, month), (event, channel), (event, item, days, kept))
"""
_OF: Final = {"department": " AND department = :department", "item": " AND item = :item"}


def load_figures(session: Session, values: Mapping[str, Any]) -> list[Row[Any]]:
    """`values`: `since` and `until`, first days of months that are both inside; `department` and `item`, or `None`."""
    conditions = "".join(condition for name, condition in _OF.items() if values[name] is not None)
    return list(session.execute(text(_FIGURES.format(of=conditions)), values))


_STATES: Final = ", ".join(f"'{status}'" for status in OPEN)
_STAGE: Final = f"""
    CASE WHEN due_on IS NULL THEN 'none' WHEN due_stage > {OVERDUE} THEN 'escalated' WHEN due_stage = {OVERDUE}
    THEN 'overdue' WHEN clock_from IS NULL THEN 'stopped' WHEN due_stage = {DUE_SOON} THEN 'due_soon' ELSE 'running' END
"""
_WHOSE: Final = ("department = :department AND handler IS NULL", "handler = :department")


def count_open(session: Session, department: str | None, item: str | None) -> list[Row[Any]]:
    """`status`, `due` (the words of `clock.due_state`) and `count` of what the department handles now."""
    parts = [
        f"SELECT status, {_STAGE} AS due FROM cases WHERE status IN ({_STATES}) AND {whose}"  # noqa: S608
        + (" AND item = :item" if item is not None else "")
        for whose in (_WHOSE if department is not None else ("true",))
    ]
    whole = " UNION ALL ".join(parts)
    statement = f"SELECT status, due, count(*) AS count FROM ({whole}) AS open GROUP BY 1, 2"  # noqa: S608
    return list(session.execute(text(statement), {"department": department, "item": item}))
