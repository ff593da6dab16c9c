"""How the form of a case compares with the evidence that is used, kept whenever one of both changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.database import Session
from services.cases.catalogue.model import Catalogue
from services.cases.domain import Case
from services.cases.evidence import domain, store
from services.cases.evidence.desk import Desk
from services.cases.evidence.domain import Content, Evidence
from services.cases.registries import checking


def keep_check(
    session: Session,
    desk: Desk,
    catalogue: Catalogue,
    item: Mapping[str, Any],
    form: Mapping[str, Any],
    evidence: Evidence,
    content: Content,
    reason: str | None,
    now: datetime,
) -> None:
    """Keep how the form compares with what is used, with what the applicant says of it."""
    compared = checking.compared_with(item, evidence.document, evidence.paper, form, content.fields, catalogue)
    checking.note(session, desk.seal, evidence.id, compared, reason, now)


def check_corrected(
    session: Session, desk: Desk, catalogue: Catalogue, item: Mapping[str, Any], case: Case, form: Any, now: datetime
) -> None:
    """The form has changed under what is used: how it compares now is kept, too."""
    for evidence, content in store.list_of_case(session, desk.seal, case.number):
        if evidence.status == domain.USED:
            keep_check(session, desk, catalogue, item, form, evidence, content, None, now)
