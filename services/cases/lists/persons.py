"""One person's cases, as far as they are a member of staff's to see. Who the person is, identity knows."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from sqlalchemy import text

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted
from services.cases import domain, forms
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case
from services.cases.joint import queries as joint
from services.cases.lists.queries import area_of, is_staff
from services.cases.paging import MAX_LIMIT
from services.cases.views import case_view

_COLUMNS: Final = ", ".join(field.name for field in fields(Case))
# by the applicant's index, the newest first
_OF_PERSON: Final = text(
    f"SELECT {_COLUMNS} FROM cases WHERE applicant = :applicant"  # noqa: S608
    " AND (CAST(:department AS text) IS NULL OR department = :department OR handler = :department)"
    " AND (CAST(:area AS text) IS NULL OR starts_with(region, :area))"
    " ORDER BY number DESC LIMIT :limit"
)


def list_cases_of(session: Session, catalogue: Catalogue, actor: Actor, applicant: object) -> dict[str, Any]:
    """`{"items", "is_whole"}`: the newest, `MAX_LIMIT` at most. A clerk's are every department's; an officer's those
    that their department has, its own or passed to it; of a region's hall, those that are decided there.

    Raise `NotPermitted` for who is no staff.
    """
    if not is_staff(actor):
        raise NotPermitted("list_cases_of")
    if not isinstance(applicant, str) or not applicant:
        raise InvalidInput([forms.fault("/applicant", "type", "string")])
    department = None if actor.has_role(domain.CLERK) else actor.department or ""
    area = area_of(actor) if department is not None else None
    values = {"applicant": applicant, "department": department, "area": area, "limit": MAX_LIMIT + 1}
    rows = [Case(*row) for row in session.execute(_OF_PERSON, values)]
    shown = rows[:MAX_LIMIT]
    joint_views = joint.brief_views(session, catalogue, shown)
    items = [case_view(case, catalogue) | {"joint_case": joint_views.get(case.joint or "")} for case in shown]
    return {"items": items, "is_whole": len(rows) <= MAX_LIMIT}
