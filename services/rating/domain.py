"""The rules of rating: who may rate what, and how the public figures are counted. No clock, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from contracts.actors import Actor
from contracts.errors import CaseNotClosed, Fault, InvalidInput, NotFound, NotPermitted

SCORES: Final = (1, 2, 3, 4, 5)
"""From very dissatisfied to very satisfied."""

GOOD: Final = frozenset({3, 4, 5})
"""1 and 2 are negative: they become work for the department."""

MAX_COMMENT: Final = 1_000


@dataclass(frozen=True, slots=True)
class RatedCase:
    """What a rating keeps of its case."""

    number: str
    item: str
    department: str
    region: str
    kind: str
    applicant: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What citizens thought of one item of one department."""

    item: str
    department: str
    scores: dict[int, int]

    @property
    def count(self) -> int:
        return sum(self.scores.values())

    @property
    def average(self) -> float:
        return round(sum(score * count for score, count in self.scores.items()) / self.count, 2)

    @property
    def good_rate(self) -> float:
        """The share of ratings that are not negative, 0 to 1."""
        return round(sum(self.scores[score] for score in GOOD) / self.count, 4)


def require_ratable(case: dict[str, Any], actor: Actor) -> RatedCase:
    """`case` is the view that the actor got of it. Only the applicant rates, and only a closed case."""
    if not actor.subject or case.get("applicant") != actor.subject:
        raise NotFound("case", case.get("number"))
    # what staff write into the rating of their own house says nothing
    if actor.act is not None:
        raise NotPermitted("rate")
    if case["status"] != "closed":
        raise CaseNotClosed(case["number"])
    return RatedCase(**{field: case[field] for field in RatedCase.__slots__})


def require_score(score: object) -> int:
    # True and 5.0 are equal to scores, and are none
    if type(score) is not int or score not in SCORES:
        raise InvalidInput([Fault(pointer="/score", rule="enum", value=list(SCORES))])
    return score


def require_comment(comment: object) -> str | None:
    """The comment without the blanks around it; nothing left is none."""
    if comment is None:
        return None
    if not isinstance(comment, str):
        raise InvalidInput([Fault(pointer="/comment", rule="type", value="string")])
    if len(comment) > MAX_COMMENT:
        raise InvalidInput([Fault(pointer="/comment", rule="maxLength", value=MAX_COMMENT)])
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in comment):
        raise InvalidInput([Fault(pointer="/comment", rule="characters", value="no NUL, no lone surrogate")])
    return comment.strip() or None


def may_see(actor: Actor, department: str, applicant: str) -> bool:
    """A rating is seen by who gave it, the department's officers and programs, and every clerk."""
    if actor.subject == actor.client:
        return actor.department == department and actor.has_scope("cases")
    # who may do one thing for somebody is not shown what they thought of another
    if actor.mandate is not None:
        return False
    if actor.subject == applicant or actor.has_role("clerk"):
        return True
    return actor.has_role("officer") and actor.department == department


def is_name(text: object) -> bool:
    """Whether this can be a case number or a code at all: no database is asked about anything else."""
    return isinstance(text, str) and text.isascii() and text.isprintable()


def figures(counts: Iterable[tuple[str, str, int, int]]) -> list[Figures]:
    """From (item, department, score, count), sorted by the first two, the figures of each item and department."""
    found: dict[tuple[str, str], Figures] = {}
    for item, department, score, count in counts:
        key = (item, department)
        of_item = found.setdefault(key, Figures(item, department, dict.fromkeys(SCORES, 0)))
        of_item.scores[score] = count
    return list(found.values())
