"""Internal notes: from staff for staff. They are no part of the history, of no event, and of nothing a citizen gets."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotFound, NotPermitted
from services.cases import domain, forms, store
from services.cases.case_number import is_case_number
from services.cases.lists.words import words_of
from services.cases.views import time_view

MOST: Final = 100
"""Of one case: then it is a matter for a meeting."""

_ADD = text(
    "INSERT INTO case_notes (number, at, author, role, department, text, words)"
    " SELECT :number, :at, :author, :role, :department, :text, CAST(:words AS text[])"
    " WHERE (SELECT count(*) FROM case_notes WHERE number = :number) < :most RETURNING id"
)
_OF_CASE = text("SELECT at, author, role, department, text FROM case_notes WHERE number = :number ORDER BY id")


def add_note(session: Session, actor: Actor, number: str, words: object, now: datetime) -> None:
    """Raise `NotFound` or `NotPermitted` for who is no staff of the case, `InvalidInput` for too much or nothing."""
    case = store.lock_case(session, number) if is_case_number(number) else None
    parts = domain.parts_of(actor, case) if case is not None else ()
    if case is None or not parts:
        raise NotFound("case", number)
    role = next((part for part in parts if part in domain.STAFF), None)
    if role is None:
        raise NotPermitted("add_note")
    said = forms.require_text(words, "/text", forms.MAX_NOTE)
    if said is None:
        raise InvalidInput([forms.fault("/text", "required", True)])
    values = {"number": number, "at": now, "author": actor.hand, "role": role, "department": actor.department}
    if (
        session.execute(_ADD, values | {"text": said, "words": words_of(said), "most": MOST}).scalar_one_or_none()
        is None
    ):
        raise InvalidInput([forms.fault("/text", "maxItems", MOST)])


def notes_for(session: Session, actor: Actor, case: domain.Case) -> list[dict[str, Any]]:
    """Of a case, oldest first; none for the applicant, whoever acts for them, or a program."""
    if not set(domain.parts_of(actor, case)) & set(domain.STAFF):
        return []
    return [
        {
            "at": time_view(row.at),
            "role": row.role,
            "department": row.department,
            "is_mine": row.author == actor.hand,
            "text": row.text,
        }
        for row in session.execute(_OF_CASE, {"number": case.number})
    ]
