"""One rating for who may see it, and the public figures."""

from __future__ import annotations

from typing import Any

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import NotFound
from services.rating import domain, store
from services.rating.views import figures_view, rating_view


def get_rating(session: Session, actor: Actor, number: str) -> dict[str, Any]:
    rating = store.load_rating(session, number) if domain.is_name(number) else None
    if rating is None or not domain.may_see(actor, rating.department, rating.applicant):
        raise NotFound("rating", number)
    return rating_view(rating.number, rating.score, rating.comment, rating.rated_at)


def get_statistics(session: Session, item: str | None, department: str | None) -> dict[str, Any]:
    if not all(domain.is_name(name) for name in (item, department) if name is not None):
        return {"items": [], "next": None}
    counts = store.count_scores(session, item or None, department or None)
    return {"items": [figures_view(figures) for figures in domain.figures(counts)], "next": None}
