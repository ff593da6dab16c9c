"""Inviting, reminding and rating. One function a use case, each one transaction's work."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from chassis import outbox, schedule
from chassis.database import Session
from chassis.schedule import Due
from contracts.actors import SYSTEM, Actor
from contracts.envelope import Envelope
from contracts.errors import CaseAlreadyRated
from contracts.events import CaseClosed, RatingGiven, RatingInvited, RatingReminded
from services.rating import domain, store
from services.rating.domain import RatedCase
from services.rating.views import rating_view

REMINDER = "rating-reminder"


def invite_to_rate(session: Session, envelope: Envelope, now: datetime, remind_after: timedelta) -> None:
    """Ask the applicant of a closed case for a rating, unless it came already; and once more after a while."""
    closed = envelope.data
    assert isinstance(closed, CaseClosed)  # noqa: S101 - on_event hands out by type
    case = RatedCase(**{field: getattr(closed, field) for field in RatedCase.__slots__})
    sequence = store.insert_invitation(session, case, now)
    if sequence is not None:
        system = replace(SYSTEM, channel=envelope.channel)
        outbox.add(session, RatingInvited(**asdict(case)), sequence=sequence, actor=system)
        schedule.at(session, now + remind_after, REMINDER, case.number, {"channel": envelope.channel})


def remind_to_rate(session: Session, due: Due) -> None:
    """Ask once more, unless the rating came meanwhile."""
    reminded = store.save_reminder(session, due.key)
    if reminded is not None:
        case, sequence = reminded
        system = replace(SYSTEM, channel=due.data["channel"])
        outbox.add(session, RatingReminded(**asdict(case)), sequence=sequence, actor=system)


def rate_case(
    session: Session, actor: Actor, case: dict[str, Any], score: object, comment: object, now: datetime
) -> dict[str, Any]:
    """Take the one rating of a case. What the citizen wrote stays here; the event carries the score."""
    rated = domain.require_ratable(case, actor)
    given, text = domain.require_score(score), domain.require_comment(comment)
    schedule.cancel(session, REMINDER, rated.number)
    sequence = store.save_rating(session, rated, score=given, comment=text, channel=actor.channel, at=now)
    if sequence is None:
        raise CaseAlreadyRated(rated.number)
    citizen = replace(actor, roles=())
    outbox.add(session, RatingGiven(**asdict(rated), score=given), sequence=sequence, actor=citizen)
    return rating_view(rated.number, given, text, now)
