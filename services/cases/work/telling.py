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
    CasePapersReceived,
    CasePapersReturned,
    CasePassedOn,
    CaseProvisionallyAccepted,
    CaseStepFinished,
    CaseSuspended,
    CaseTransferred,
    CorrectionRequested,
)
from services.cases.work.case import Case
from services.cases.work.situation import Situation
from services.cases.work.states import CLOSED, RESULT_UNDER_WAY


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
        CasePassedOn: lambda: _hands(situation),
        CasePapersReceived: lambda: _hands(situation),
        CasePapersReturned: lambda: {"giver": moved.handled_by, "taker": moved.filed_hall},
        CaseTransferred: lambda: {
            "giver": situation.case.department,
            "taker": moved.department,
            "giver_region": situation.case.region,
        },
        CaseDelivered: lambda: {"way": moved.delivered_by},
    }
    return known[event]() if event in known else {}


def _hands(situation: Situation) -> dict[str, Any]:
    """From the hall to the department; a result the other way."""
    case = situation.case
    is_result = case.papers == RESULT_UNDER_WAY or (situation.name == "pass_on" and case.status == CLOSED)
    hands = (case.handled_by, case.filed_hall) if is_result else (case.filed_hall, case.handled_by)
    return dict(zip(("giver", "taker"), hands, strict=True))


def details_of(event: CaseEvent, situation: Situation) -> dict[str, Any]:
    """For the history, which also says what is missing and a carrier's number; `event` is the first of the change."""
    facts = said_of(event)
    missing = [each.to_dict() for each in situation.details.missing if "missing" in situation.action.details]
    papers = [each.to_dict() for each in situation.details.papers if "papers" in situation.action.details]
    region = {"region": event.region} if isinstance(event, CaseTransferred) else {}
    tracking = situation.details.tracking if "tracking" in situation.action.details else None
    besides = {"missing": missing, "papers": papers, "tracking": tracking}
    return facts | region | {name: value for name, value in besides.items() if value}


_OF_EVERY_EVENT: Final = frozenset(
    ("number", "item", "department", "region", "kind", "applicant", "decision", "score", "handler")
)


def said_of(event: CaseEvent) -> dict[str, Any]:
    """Of the event as it stands, the same."""
    return {name: value for name, value in event.to_data().items() if name not in _OF_EVERY_EVENT and value}


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
