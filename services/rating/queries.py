"""One rating for who may see it, and the public figures."""

from __future__ import annotations

from typing import Any, Final

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotFound, NotPermitted
from services.rating import domain, store
from services.rating.views import figures_view, rating_view

MAX_NUMBERS: Final = 100


def get_rating(session: Session, actor: Actor, number: str) -> dict[str, Any]:
    rating = store.load_rating(session, number) if domain.is_name(number) else None
    if rating is None or not domain.may_see(actor, rating.department, rating.applicant):
        raise NotFound("rating", number)
    return rating_view(rating.number, rating.score, rating.comment, rating.rated_at)


def list_own_ratings(session: Session, actor: Actor, numbers: list[str]) -> dict[str, dict[str, Any]]:
    """Number -> what the caller thought of that case of theirs; of at most `MAX_NUMBERS` cases."""
    if not actor.subject or actor.act is not None:
        raise NotPermitted("list_own_ratings")
    if len(numbers) > MAX_NUMBERS:
        raise InvalidInput([Fault(pointer="/numbers", rule="maxItems", value=MAX_NUMBERS)])
    rows = store.list_ratings(session, actor.subject, [number for number in numbers if domain.is_name(number)])
    return {row.number: rating_view(row.number, row.score, row.comment, row.rated_at) for row in rows}


def get_statistics(session: Session, item: str | None, department: str | None) -> dict[str, Any]:
    if not all(domain.is_name(name) for name in (item, department) if name is not None):
        return {"items": [], "next": None}
    counts = store.count_scores(session, item or None, department or None)
    return {"items": [figures_view(figures) for figures in domain.figures(counts)], "next": None}
