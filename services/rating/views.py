"""How ratings and figures look to a reader: plain JSON, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.rating.domain import Figures


def rating_view(number: str, score: int, comment: str | None, at: datetime) -> dict[str, Any]:
    return {
        "number": number,
        "score": score,
        "comment": comment,
        "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def figures_view(figures: Figures) -> dict[str, Any]:
    return {
        "item": figures.item,
        "department": figures.department,
        "count": figures.count,
        "average": figures.average,
        "good_rate": figures.good_rate,
        "scores": {str(score): count for score, count in figures.scores.items()},
    }
