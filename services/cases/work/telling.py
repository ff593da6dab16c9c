"""What the history and the events say of a change, besides what every event of a case says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from contracts.events import (
    CaseClosed,
    CaseDelegated,
    CaseDelivered,
    CaseEvent,
    CaseHandedBack,
    CaseLapsed,
    CaseProvisionallyAccepted,
    CaseStepFinished,
    CaseSuspended,
    CorrectionRequested,
)
from services.cases.work.case import Case
from services.cases.work.situation import Situation


def facts_of(event: type[CaseEvent], situation: Situation, moved: Case) -> dict[str, Any]:
    """What an event says besides what every event of a case says."""
    known: dict[type[CaseEvent], Callable[[], dict[str, Any]]] = {
        CaseClosed: lambda: {"decision": moved.decision},
        CorrectionRequested: lambda: {"until": iso(moved.answer_by)},
        CaseProvisionallyAccepted: lambda: {"until": iso(moved.answer_by)},
        CaseLapsed: lambda: {"until": iso(situation.case.answer_by)},
        CaseSuspended: lambda: {"reason": situation.details.reason},
        CaseStepFinished: lambda: {"step": situation.step.code, "next_step": moved.step},
        CaseDelegated: lambda: {"giver": situation.case.handled_by, "taker": moved.handled_by},
        CaseHandedBack: lambda: {"giver": situation.case.handled_by, "taker": moved.handled_by},
        CaseDelivered: lambda: {"way": moved.delivered_by},
    }
    return known[event]() if event in known else {}


def details_of(event: CaseEvent, situation: Situation) -> dict[str, Any]:
    """For the history, which also says what is missing; `event` is the first of the change."""
    facts = said_of(event)
    missing = [each.to_dict() for each in situation.details.missing if "missing" in situation.action.details]
    return facts | ({"missing": missing} if missing else {})


_OF_EVERY_EVENT: Final = frozenset(("number", "item", "department", "region", "kind", "applicant", "decision", "score"))


def said_of(event: CaseEvent) -> dict[str, Any]:
    """Of the event as it stands, the same."""
    return {name: value for name, value in event.to_data().items() if name not in _OF_EVERY_EVENT and value}


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
