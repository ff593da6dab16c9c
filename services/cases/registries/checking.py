"""The mutual check of a case's evidence with its form: shown where the evidence is shown, and kept as a row.

A row says of each field how it compared, and neither value: those stand in the form and in the evidence. What the
applicant says of the differences is kept with it, sealed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select

from chassis.database import Session
from chassis.sealing import Seal
from services.cases.catalogue.model import Catalogue
from services.cases.catalogue.script import to_simplified
from services.cases.registries.comparing import Compared, Way, compare, differences
from services.cases.registries.kinds import all_kinds
from services.cases.registries.tables import evidence_checks

MAX_REASON: Final = 500

_FORMATS: Final = {"date": Way.DATE}


def compared_with(
    item: Mapping[str, Any],
    document: str,
    paper: str,
    form: Mapping[str, Any],
    fields: Mapping[str, Any],
    of: Catalogue,
) -> tuple[Compared, ...]:
    """What the item says is to be compared of this document; nothing if it says nothing or there is no evidence."""
    pairs: Mapping[str, str] = next(
        (each.get("compare", {}) for each in item.get("documents", ()) if each["code"] == document), {}
    )
    if not pairs or not fields:
        return ()
    # as the form has them: the database keeps no order of members
    order = [field for section in item["layout"] for field in section["fields"]]
    ordered = {field: pairs[field] for field in sorted(pairs, key=order.index)}
    return compare(ordered, form, fields, _ways(paper, of), to_simplified)


def note(
    session: Session, seal: Seal, evidence: str, compared: tuple[Compared, ...], reason: str | None, now: datetime
) -> None:
    """Keep how it compared, if anything was."""
    if compared:
        check = str(uuid.uuid4())
        sealed = seal.close(reason.encode(), check.encode()) if reason else None
        outcomes = {each.field: str(each.outcome) for each in compared}
        row = {"id": check, "evidence": evidence, "compared_at": now, "outcomes": outcomes, "reason": sealed}
        session.execute(insert(evidence_checks).values(row))


def reasons_of(session: Session, seal: Seal, evidence: list[str]) -> dict[str, str]:
    """What the applicant last said of the differences, by the evidence."""
    row = evidence_checks.c
    said = select(row.id, row.evidence, row.reason).where(row.evidence.in_(evidence), row.reason.is_not(None))
    rows = session.execute(said.order_by(row.compared_at))
    return {found.evidence: seal.open(bytes(found.reason), found.id.encode()).decode() for found in rows}


def view(compared: tuple[Compared, ...], item: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    """`title` and `values` are the form's own names of the field and of its choices."""
    properties = item["form"]["properties"]
    fields = [
        {
            "field": each.field,
            "title": properties[each.field]["x-title"],
            "values": properties[each.field].get("x-labels", {}),
            "outcome": str(each.outcome),
            "said": each.said,
            "found": each.found,
        }
        for each in compared
    ]
    return {"fields": fields, "differs": bool(differences(compared)), "reason": reason}


def _ways(paper: str, catalogue: Catalogue) -> Mapping[str, Way]:
    """A kind says how its fields are compared; of what an item gives, the form of that says what they are."""
    issuer = catalogue.issuer_of(paper)
    if issuer is None:
        return all_kinds()[paper].ways if paper in all_kinds() else {}
    properties = issuer.description["form"]["properties"]
    return {name: _FORMATS.get(field.get("format", ""), Way.TEXT) for name, field in properties.items()}
