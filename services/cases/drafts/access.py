"""Whose drafts an actor may have to do with: their own, or the person's for whom they act."""

from __future__ import annotations

import uuid

from contracts.actors import Actor
from contracts.errors import NotFound
from services.cases import domain


def applicant_of(actor: Actor) -> Actor:
    """As an applicant. A program has no drafts, nor has who acts about one case: that is filed already."""
    return domain.applicant_of(actor)


def may_touch(actor: Actor, item: str) -> bool:
    return actor.mandate is None or actor.mandate.covers(item)


def id_in(text: object) -> str | None:
    """The id as it is written in the database; `None` for what cannot be one."""
    try:
        return str(uuid.UUID(str(text)))
    except ValueError:
        return None


def require_id(draft_id: object) -> str:
    """Raise `NotFound` for what cannot be one."""
    known = id_in(draft_id)
    if known is None:
        raise NotFound("draft", str(draft_id)[:64])
    return known
