"""The rating of a case."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.cases import CaseEvent


@dataclass(frozen=True, slots=True)
class RatingEvent(CaseEvent):
    """An event of a case's rating. The rating counts its own sequence under the case's number."""

    source = "rating"


@dataclass(frozen=True, slots=True)
class RatingInvited(RatingEvent):
    """The citizen was invited to rate a closed case."""

    type = "rating.invited"


@dataclass(frozen=True, slots=True)
class RatingReminded(RatingEvent):
    """The citizen was invited some days ago, has not rated the case yet, and was reminded of it once."""

    type = "rating.reminded"


@dataclass(frozen=True, slots=True)
class RatingGiven(RatingEvent):
    """The citizen rated the case; `score` is 1 (very dissatisfied) to 5 (very satisfied)."""

    type = "rating.given"

    score: int
