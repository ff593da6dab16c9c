"""A department's open cases, what is due first at the top: what an officer opens in the morning."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted
from services.cases import domain, forms
from services.cases.case_number import is_case_number
from services.cases.catalogue.model import Catalogue
from services.cases.crossing.domain import significant
from services.cases.domain import Case
from services.cases.paging import decode, page, require_limit
from services.cases.views import case_view
from services.cases.work import staff
from services.cases.work.clock import RULES, Rules, stage_of
from services.cases.work.states import SUPERVISOR

ALL, MINE, FREE, LATE, ESCALATED = "all", "mine", "unassigned", "late", "escalated"
FILTERS: Final = (ALL, MINE, FREE, LATE, ESCALATED)
MOST_COUNTED: Final = 100

_COLUMNS = ", ".join(field.name for field in fields(Case))
_OPEN = ", ".join(f"'{status}'" for status in domain.OPEN)
_MATCHING: Final = {
    ALL: "",
    MINE: " AND assignee = :me",
    FREE: " AND assignee IS NULL",
    LATE: " AND due_stage >= 1 AND clock_from IS NOT NULL",
    ESCALATED: " AND due_stage >= :stage AND clock_from IS NOT NULL",
}
# those without a date come last, as PostgreSQL sorts nulls
_BEHIND: Final = {
    "start": "",
    "dated": " AND ((due_on, number) > (:due_on, :number) OR due_on IS NULL)",
    "undated": " AND due_on IS NULL AND number > :number",
}


def list_work(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    now: datetime,
    *,
    shown: str | None,
    cursor: str | None,
    limit: int | None,
    name: str | None,
    rules: Rules = RULES,
) -> dict[str, Any]:
    """The open cases that the actor's department handles, by the last day of their limit.

    `shown` is one of `FILTERS`; `escalated` is what has come to the supervisors, and `escalated` in the answer says to
    one of them how many those are, `MOST_COUNTED` at most. Raise `NotPermitted` for who is no officer, `InvalidInput`
    for another filter.
    """
    if not actor.has_role(domain.OFFICER) or not actor.department or actor.act is not None:
        raise NotPermitted("list_work")
    if shown is not None and shown not in FILTERS:
        raise InvalidInput([forms.fault("/shown", "enum", list(FILTERS))])
    size = require_limit(limit)
    key = decode(cursor, _is_key)
    staff.see(session, actor, now)
    staff.name(session, actor, name)
    stage = stage_of(SUPERVISOR, rules)
    rows = _read(session, actor, shown or ALL, key, size + 1, stage)
    answer = page(rows, size, key=_key_of, view=lambda case: _view(case, catalogue, actor))
    if actor.has_role(SUPERVISOR):
        answer["escalated"] = len(_read(session, actor, ESCALATED, None, MOST_COUNTED, stage))
    return answer


def _read(session: Session, actor: Actor, shown: str, key: str | None, limit: int, stage: int) -> list[Case]:
    due_on, number = key.split(" ") if key else ("", "")
    behind = _BEHIND["start" if key is None else "dated" if due_on else "undated"]
    values = {"department": actor.department, "me": actor.subject, "number": number, "limit": limit}
    area = significant(actor.region) if actor.region else None
    statement = _statement(_MATCHING[shown] + (" AND starts_with(region, :area)" if area else "") + behind)
    values |= {"due_on": due_on or None, "stage": stage, "area": area}
    return [Case(*row) for row in session.execute(text(statement), values)]


def _statement(condition: str) -> str:
    """Own cases and those passed here, each by its own index; every part of the text is one of ours."""
    parts = [
        f"(SELECT {_COLUMNS} FROM cases WHERE {whose} AND status IN ({_OPEN}){condition}"  # noqa: S608
        " ORDER BY due_on, number LIMIT :limit)"
        for whose in ("department = :department AND handler IS NULL", "handler = :department")
    ]
    return " UNION ALL ".join(parts) + " ORDER BY due_on, number LIMIT :limit"


def _view(case: Case, catalogue: Catalogue, actor: Actor) -> dict[str, Any]:
    return case_view(case, catalogue) | {"assigned": assigned(case, actor)}


def assigned(case: Case, actor: Actor) -> str:
    """Who has it in hand, for staff: `nobody`, `me`, `colleague`."""
    if case.assignee is None:
        return "nobody"
    return "me" if case.assignee == actor.hand else "colleague"


def _key_of(case: Case) -> str:
    return f"{case.due_on.isoformat() if case.due_on else ''} {case.number}"


def _is_key(key: str) -> bool:
    due_on, _, number = key.partition(" ")
    try:
        return is_case_number(number) and (not due_on or bool(date.fromisoformat(due_on)))
    except ValueError:
        return False
