"""What makes and ends results. It happens in the transaction of the act on the case, which holds the case."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from chassis import outbox, typed_codes
from chassis.database import Session
from chassis.sealing import Seal
from contracts.events import ResultIssued
from services.cases import store as cases
from services.cases.case_number import filing_day
from services.cases.catalogue.model import ServiceItem
from services.cases.domain import Change
from services.cases.results import domain, store
from services.cases.results.domain import Content, Result

CODE_LENGTH = 16
"""79 bits, for it is good for as long as the paper that it is printed on."""


def follow(
    session: Session, seal: Seal, item: ServiceItem, change: Change, action: str, note: str | None, now: datetime
) -> None:
    """Issue what a decision gives, and take back what a review has reopened. Any other action changes nothing here."""
    if action == "reopen":
        store.end(session, change.case.number, domain.REVOKED, domain.REOPENED, now, of=(domain.VALID,))
    elif change.case.decision and action in ("approve", "refuse"):
        _issue(session, seal, item, change, note, now)


def _issue(session: Session, seal: Seal, item: ServiceItem, change: Change, note: str | None, now: datetime) -> None:
    case, decision = change.case, change.case.decision or ""
    declared: dict[str, Any] = item.description.get("result", {})
    is_granted = decision == "approved"
    issued_on = filing_day(now)
    # a review took these back; now something stands in their place
    store.end(session, case.number, domain.SUPERSEDED, domain.REOPENED, now, of=(domain.VALID, domain.REVOKED))
    found = cases.load_case_with_form(session, case.number)
    answers = found[1] if found else {}
    result = Result(
        id=str(uuid.uuid4()),
        number=case.number,
        serial=store.next_serial(session, case.number),
        paper=declared.get("code", domain.DECISION) if is_granted else domain.REFUSAL,
        form=domain.form_of(declared, decision),
        decision=decision,
        holder=case.applicant,
        item=case.item,
        item_version=case.item_version,
        # one that it was delegated to decides in the competent one's name (Administrative Licensing Law, article 24)
        department=case.department,
        issued_at=now,
        issued_on=issued_on,
        valid_until=domain.last_day(issued_on, declared.get("valid_months")) if is_granted else None,
    )
    code = typed_codes.new(CODE_LENGTH)
    store.insert(session, seal, result, Content(code, domain.stated(declared, answers), note))
    event = ResultIssued(
        result=result.id,
        number=case.number,
        item=case.item,
        department=case.department,
        region=case.region,
        kind=case.kind,
        applicant=case.applicant,
        paper=result.paper,
        form=result.form,
        valid_until=result.valid_until.isoformat() if result.valid_until else "-",
    )
    outbox.add(session, event, sequence=1, actor=change.actor)
