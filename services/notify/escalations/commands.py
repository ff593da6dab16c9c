"""An escalation is a row first; who has the role is asked afterwards, and each of them is told in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from chassis.database import Database, Session
from contracts.envelope import Envelope
from contracts.events import CaseEscalated
from services.notify import metrics
from services.notify import store as messages
from services.notify.api import ApiUnavailable
from services.notify.escalations import store
from services.notify.escalations.store import Escalation

log = logging.getLogger(__name__)

TOLD: Final = "case.escalated"
TOLD_OPERATORS: Final = "case.escalated-further"
TOLD_INSTEAD: Final = "case.escalated-unattended"
"""What the message is about: to who has the role in the department; to operators, because it is their level or because
nobody in the department has the role."""

OPERATOR: Final = "operator"
BATCH: Final = 50
AGAIN_SECONDS: Final = 15
NOBODY_SECONDS: Final = 3600

StaffOf = Callable[[str, str | None, str | None], list[str]]
"""Role, department, region -> subjects. Raises `ApiUnavailable`."""


def note(session: Session, envelope: Envelope) -> None:
    event = envelope.data
    if not isinstance(event, CaseEscalated):
        raise TypeError(f"{envelope.type} is no escalation")
    department = event.department if event.handler == "-" else event.handler
    escalation = Escalation(envelope.id, event.number, event.item, department, event.role, envelope.time, event.region)
    store.add(session, escalation)


def tell_due(database: Database, staff_of: StaffOf, lease_seconds: int) -> None:
    """One batch. Whatever cannot be told now waits; nothing is given up."""
    with database.transaction() as session:
        due = store.claim(session, BATCH, lease_seconds)
    waiting = {each.event_id for each in due}
    try:
        for each in due:
            subject, people = _whom(each, staff_of)
            if people:
                _tell(database, each, subject, people)
            else:
                _put_off(database, {each.event_id}, NOBODY_SECONDS)
                metrics.escalations_untold.inc()
                log.error("case %s is escalated to nobody: there is neither %s nor operator", each.number, each.role)
            waiting.discard(each.event_id)
    except ApiUnavailable as error:
        log.warning("escalations wait: %s", error)
        _put_off(database, waiting, AGAIN_SECONDS)


def _whom(escalation: Escalation, staff_of: StaffOf) -> tuple[str, list[str]]:
    """What is told, and to whom: those in the department, and operators where there are none."""
    if escalation.role == OPERATOR:
        return TOLD_OPERATORS, staff_of(OPERATOR, None, None)
    people = staff_of(escalation.role, escalation.department, escalation.region)
    if people:
        return TOLD, people
    log.warning("department %s has no %s", escalation.department, escalation.role)
    return TOLD_INSTEAD, staff_of(OPERATOR, None, None)


def _tell(database: Database, escalation: Escalation, subject: str, people: list[str]) -> None:
    with database.transaction() as session:
        if not store.remove(session, escalation.event_id):
            return
        for person in people:
            notice = messages.Notice(
                escalation.event_id,
                subject,
                person,
                escalation.at,
                escalation.number,
                escalation.item,
                escalation.department,
            )
            messages.tell(session, notice, messages.CHANNELS)


def _put_off(database: Database, ids: set[str], seconds: int) -> None:
    with database.transaction() as session:
        store.put_off(session, ids, seconds)
