"""Lists as readers get them: whose cases, what of them is wanted, and a page of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from chassis.database import Session
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted
from services.cases import domain
from services.cases.case_number import is_case_number
from services.cases.catalogue.model import Catalogue
from services.cases.crossing.domain import significant
from services.cases.forms import fault
from services.cases.joint import queries as joint
from services.cases.lists import store, wanted
from services.cases.lists.store import Found, Scope
from services.cases.lists.wanted import LIMIT, Wanted
from services.cases.lists.words import words_of
from services.cases.paging import decode, page, require_limit
from services.cases.views import case_view
from services.cases.work import staff

MOST_ITEMS: Final = 50
"""That words can stand for: who means more of them, means no item."""

_NUMBER_BEGINS: Final = re.compile(r"\d{4,18}")


def list_cases(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    cursor: str | None,
    limit: int | None,
    asked: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A citizen's own, a department's for its officers and programs, all for a clerk: `asked` as `wanted.read`."""
    size = require_limit(limit)
    what = wanted.read(asked)
    after = decode(cursor, is_date_and_number if what.sort == LIMIT else is_case_number)
    staff.see(session, actor, datetime.now(UTC))
    scope = scope_of(actor, what)
    found = find(session, catalogue, scope, what, with_notes=is_staff(actor))
    rows = store.list_cases(session, scope, what, found, after, size + 1)
    joint_views = joint.brief_views(session, catalogue, rows[:size])
    return page(
        rows,
        size,
        key=lambda case: store.key_of(what, case),
        view=lambda case: case_view(case, catalogue) | {"joint_case": joint_views.get(case.joint or "")},
    )


def scope_of(actor: Actor, what: Wanted) -> Scope:
    """Raise `NotPermitted` for who has no list, or asks for what only staff are told."""
    columns = _seen_by(actor)
    if what.assigned is not None and not is_staff(actor):
        raise NotPermitted("list_cases")
    require_order(what, columns)
    return Scope(columns, actor.hand, area_of(actor) if "department" in columns else None)


def require_order(what: Wanted, columns: Mapping[str, Any]) -> None:
    """Of all departments together there is no order by limit. Raise `InvalidInput`."""
    if what.sort == LIMIT and not columns and not (what.department or what.handler):
        raise InvalidInput([fault("/department", "required", True)])


def area_of(actor: Actor) -> str | None:
    """The area whose cases an officer sees, if they work at a hall of one."""
    return significant(actor.region) if actor.region else None


def is_staff(actor: Actor) -> bool:
    return actor.mandate is None and actor.act is None and any(actor.has_role(role) for role in domain.STAFF)


def _seen_by(actor: Actor) -> dict[str, str]:
    """What the cases of an actor's list have in common."""
    if actor.mandate is not None:
        common = {"applicant": actor.subject, "item": actor.mandate.item, "number": actor.mandate.case}
        return {name: value for name, value in common.items() if value is not None}
    if domain.is_program(actor):
        if not (actor.department and actor.has_scope("cases")):
            raise NotPermitted("list_cases")
        return {"department": actor.department}
    if actor.has_role(domain.CLERK):
        return {}
    if actor.has_role(domain.OFFICER):
        return {"department": actor.department or ""}
    if not actor.subject:
        raise NotPermitted("list_cases")
    return {"applicant": actor.subject}


def find(session: Session, catalogue: Catalogue, scope: Scope, what: Wanted, *, with_notes: bool) -> Found | None:
    """What the words stand for; `None` if none were asked for.

    Items by their names in either script, as the catalogue finds them; the beginning of a case's number; internal
    notes, for who may read them. Never what applicants wrote, and never who they are.
    """
    if what.q is None:
        return None
    digits = "".join(what.q.split())
    if _NUMBER_BEGINS.fullmatch(digits):
        return Found(numbers=(digits,)) if len(digits) == 18 else Found(prefix=digits)
    items = tuple(item.code for item in catalogue.search(what.q).items[:MOST_ITEMS])
    words = words_of(what.q) if with_notes else []
    return Found(items, store.find_noted(session, words, scope.department) if words else ())


def is_date_and_number(key: str) -> bool:
    day, _, number = key.partition(" ")
    try:
        return is_case_number(number) and (not day or bool(date.fromisoformat(day)))
    except ValueError:
        return False
