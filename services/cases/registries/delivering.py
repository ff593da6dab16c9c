"""What a register said becomes the answer to a request for evidence, as if its owner's own program had said it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chassis.database import Session
from chassis.sealing import Seal
from contracts.actors import SYSTEM
from contracts.errors import ActionNotAllowed, NotFound, NotPermitted
from services.cases import store as cases
from services.cases.case_number import filing_day
from services.cases.evidence import commands as evidence_commands
from services.cases.evidence import domain
from services.cases.evidence import store as evidence_store
from services.cases.evidence.desk import Desk
from services.cases.evidence.domain import Evidence
from services.cases.registries import commands
from services.cases.registries.adapter import Answer
from services.cases.registries.commands import Wanted
from services.cases.registries.domain import Asked


def ask_register(seal: Seal, session: Session, evidence: Evidence, keys: Mapping[str, str], now: datetime) -> None:
    """In the transaction that asks the source: its register, if it has one. Everybody hears the event all the same."""
    wanted = Wanted(evidence.id, evidence.number, evidence.asks, evidence.source, evidence.paper, evidence.item)
    commands.ask(session, seal, wanted, keys, evidence.due_at or now, now)


def deliver(session: Session, desk: Desk, asked: Asked, answer: Answer, now: datetime) -> bool:
    """False if nobody waits for it: it was withdrawn, or answered otherwise, or is asked anew with other keys."""
    # the case first, as everybody who changes its evidence
    cases.lock_case(session, asked.number)
    found = evidence_store.load(session, desk.seal, asked.evidence)
    if found is None or found[0].asks != asked.asks or found[0].status not in domain.WAITING:
        return False
    if found[0].source != asked.registry.owner:
        return False
    try:
        evidence_commands.take_answer(session, desk, asked.evidence, _given(answer, now), SYSTEM, now)
    except (ActionNotAllowed, NotPermitted, NotFound):
        # the consent is over
        return False
    return True


def _given(answer: Answer, now: datetime) -> domain.Answer:
    # what is good no longer proves nothing
    if answer.valid_until is not None and answer.valid_until < filing_day(now):
        return domain.Answer(domain.NEEDS_CITIZEN)
    return domain.Answer(str(answer.result), dict(answer.fields), answer.valid_until)
