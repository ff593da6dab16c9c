"""Somebody's own cases in full, given out to them: forms and histories, as they filed them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select

from chassis.database import Session
from chassis.sealing import Seal
from contracts.actors import Actor
from contracts.errors import NotPermitted
from services.cases import domain, store
from services.cases.case_number import is_case_number
from services.cases.catalogue.model import Catalogue
from services.cases.drafts import store as drafts
from services.cases.drafts.domain import MOST_DRAFTS
from services.cases.drafts.views import listed_view
from services.cases.joint import store as joint
from services.cases.paging import decode, page, require_limit
from services.cases.views import case_view, entry_view

MOST_WAITING: Final = 500


def list_own_drafts(session: Session, catalogue: Catalogue, seal: Seal, actor: Actor) -> list[dict[str, Any]]:
    """All of them, with what was typed: there are at most `MOST_DRAFTS`. Raise `NotPermitted` as `list_own_cases`."""
    _require_themselves(actor)
    return [
        listed_view(draft, catalogue) | {"form": draft.form, "left_over": dict(draft.left_over)}
        for draft in drafts.list_whole(session, seal, actor.subject, MOST_DRAFTS)
    ]


def list_own_waiting(session: Session, catalogue: Catalogue, actor: Actor) -> list[dict[str, Any]]:
    """Parts of joint cases that have not begun, with what they will be filed with. Raise as `list_own_cases`."""
    _require_themselves(actor)
    return [
        {"joint": row.joint, "item": row.item, "item_name": catalogue.name_of(row.item), "form": row.form}
        for row in joint.list_held(session, actor.subject, MOST_WAITING)
    ]


def discard_own_drafts(session: Session, actor: Actor) -> None:
    """For good, when their account ends. Raise `NotPermitted` as `list_own_cases`."""
    _require_themselves(actor)
    drafts.delete_all(session, actor.subject)


def _require_themselves(actor: Actor) -> None:
    if not actor.subject or domain.is_program(actor) or actor.act is not None:
        raise NotPermitted("list_own_cases")


def list_own_cases(
    session: Session, catalogue: Catalogue, actor: Actor, cursor: str | None, limit: int | None
) -> dict[str, Any]:
    """What the caller applied for themselves, newest first; staff, too, get only their own.

    Raise `NotPermitted` for programs and who acts for somebody.
    """
    _require_themselves(actor)
    size, before = require_limit(limit), decode(cursor, is_case_number)
    rows = store.list_cases(session, {"applicant": actor.subject}, before=before, limit=size + 1)
    numbers = [case.number for case in rows[:size]]
    cases, history = store.cases.c, store.case_history.c
    forms: dict[str, Any] = {
        row.number: row.form
        for row in session.execute(select(cases.number, cases.form).where(cases.number.in_(numbers)))
    }
    entries: dict[str, list[dict[str, Any]]] = {number: [] for number in numbers}
    lines = select(store.case_history).where(history.number.in_(numbers)).order_by(history.number, history.sequence)
    for entry in session.execute(lines):
        entries[entry.number].append(entry_view(entry))
    return page(
        rows,
        size,
        key=lambda case: case.number,
        view=lambda case: case_view(case, catalogue) | {"form": forms[case.number], "history": entries[case.number]},
    )
