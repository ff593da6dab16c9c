"""Figures out of counts: shares, the median and the 90th percentile. No database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

NAMES: Final[Mapping[str, str]] = {
    "case.submitted": "filed",
    "case.approved": "approved",
    "case.refused": "refused",
    "case.not-accepted": "not_accepted",
    "case.withdrawn": "withdrawn",
    "case.lapsed": "lapsed",
    "case.correction-requested": "corrections",
    "case.overdue": "overdue",
    "case.reopened": "reopened",
}


def counts_of(rows: Iterable[Any]) -> dict[str, int]:
    """How often each thing happened; 0 is said, too."""
    counted: Counter[str] = Counter()
    for row in rows:
        counted[row.event] += row.count
    return {name: counted[event] for event, name in NAMES.items()}


def times_of(rows: Iterable[Any]) -> dict[str, Any]:
    """Of decisions: how many, which share within each limit (0 to 1), and days from the filing. `None` without any."""
    decided = [row for row in rows if row.days >= 0]
    total = sum(row.count for row in decided)
    if not total:
        return {"decided": 0, "within_promised": None, "within_statutory": None, "median_days": None, "p90_days": None}
    days: Counter[int] = Counter()
    for row in decided:
        days[row.days] += row.count
    return {
        "decided": total,
        "within_promised": round(sum(row.count for row in decided if row.kept % 2 == 0) / total, 4),
        "within_statutory": round(sum(row.count for row in decided if row.kept < 2) / total, 4),
        "median_days": percentile(days, 50),
        "p90_days": percentile(days, 90),
    }


def percentile(counts: Mapping[int, int], share: int) -> int:
    """The smallest value that so many of a hundred do not exceed (the nearest rank)."""
    wanted = -(-sum(counts.values()) * share // 100)
    for value in sorted(counts):
        wanted -= counts[value]
        if wanted <= 0:
            return value
    raise ValueError("no counts")
