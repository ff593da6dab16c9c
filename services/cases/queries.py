"""What people read: the catalogue from memory, cases shaped for the caller."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chassis.database import Session
from contracts import access
from contracts.actors import Actor
from contracts.errors import NotFound
from services.cases import domain, looks, store
from services.cases.case_number import is_case_number
from services.cases.catalogue.live import VERSIONS
from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.crossing.places import EVERYWHERE_ONE_REGION, Places
from services.cases.crossing.views import crossing_view, offices_view
from services.cases.domain import Case
from services.cases.evidence.desk import Desk
from services.cases.evidence.queries import evidence_of
from services.cases.joint import queries as joint
from services.cases.views import case_view, entry_view
from services.cases.work import notes, staff, worklist


def get_case(
    session: Session, catalogue: Catalogue, actor: Actor, number: str, purpose: str | None = None
) -> dict[str, Any]:
    """A look, if it is not the applicant's own (`looks`); `purpose` is why, if the reader says so."""
    case, form = _require_visible(session, actor, number)
    looks.note(session, actor, case, access.CASE, purpose)
    return case_view(case, catalogue) | {"form": form}


def get_history(session: Session, actor: Actor, number: str, purpose: str | None = None) -> dict[str, Any]:
    """A look, as `get_case` is."""
    case, _ = _require_visible(session, actor, number)
    looks.note(session, actor, case, access.HISTORY, purpose)
    return {"items": _history(session, number), "next": None}


def get_case_file(
    session: Session,
    catalogue: Catalogue,
    actor: Actor,
    number: str,
    purpose: str | None = None,
    places: Places = EVERYWHERE_ONE_REGION,
    desk: Desk | None = None,
) -> dict[str, Any]:
    """All that a page about one case shows, and what this reader may do with it now. A look, as `get_case` is.

    `desk` is that of evidence; without it none of the case's was fetched.
    """
    case, form = _require_visible(session, actor, number)
    looks.note(session, actor, case, access.CASE, purpose)
    item = VERSIONS.get(session, catalogue, case.item, case.item_version)
    actions = domain.allowed_actions(actor, case, item.procedure)
    history = _history(session, number)
    file = {
        "case": case_view(case, catalogue) | {"form": form},
        "history": history,
        "item": item.description,
        "actions": actions,
        "joint": joint.context_of(session, catalogue, case),
        "crossing": crossing_view(case, history, places),
        "evidence": evidence_of(session, catalogue, desk, actor, case, form, purpose) if desk else [],
    }
    shown = file | _for_staff(session, actor, case, item, actions)
    if "transfer" in actions:
        shown["choices"]["transfer"] = offices_view(case, places)
    return shown


def _for_staff(session: Session, actor: Actor, case: Case, item: ServiceItem, actions: list[str]) -> dict[str, Any]:
    """What only staff are shown: who has the case in hand, what actions can be given, and internal notes."""
    if not set(domain.parts_of(actor, case)) & set(domain.STAFF):
        return {"choices": {}, "notes": [], "assigned": None}
    choices = domain.choices(case, item.procedure)
    colleagues = staff.list_colleagues(session, case, datetime.now(UTC)) if "assign" in actions else []
    return {
        "choices": {name: choices[name] for name in actions if name in choices} | {"assign": colleagues},
        "notes": notes.notes_for(session, actor, case),
        "assigned": worklist.assigned(case, actor),
    }


def _require_visible(session: Session, actor: Actor, number: str) -> tuple[Case, dict[str, Any]]:
    found = store.load_case_with_form(session, number) if is_case_number(number) else None
    if found is None:
        raise NotFound("case", number)
    domain.require_visible(actor, found[0])
    return found


def _history(session: Session, number: str) -> list[dict[str, Any]]:
    return [entry_view(entry) for entry in store.load_history(session, number)]
