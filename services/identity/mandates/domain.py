"""The rules of mandates. No clock, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Final

from contracts.actors import MANDATE, Actor
from contracts.errors import Fault, InvalidInput, NotPermitted
from contracts.filters import is_part

TOKEN_TYPE: Final = "urn:onehall:params:oauth:token-type:mandate"  # noqa: S105 (the name of a kind)

AUTHORISATION: Final = "authorisation"
GUARDIANSHIP: Final = "guardianship"

LONGEST: Final = timedelta(days=366)
"""Of an authorisation, and of a guardianship of a grown-up, which is then confirmed anew."""

OFFERED: Final = timedelta(days=14)
"""How long an authorisation waits to be accepted."""

MAJORITY: Final = 18
"""Civil Code of the People's Republic of China, article 17."""

MOST_OPEN: Final = 20
MOST_A_DAY: Final = 10
"""Authorisations of one principal; each may be a guess whether somebody has an account."""

MOST_NAMED: Final = 300

_LOCAL: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
_NUMBER_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Mandate:
    """`agent` may act for `principal`: about the service item or the case, or, as a guardian, about all.

    `agent` is None where the principal named nobody who is there.
    """

    id: str
    kind: str
    principal: str
    agent: str | None
    named: str | None
    item: str | None
    number: str | None
    created_at: datetime
    ends_at: datetime
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    confirmed_by: str | None = None

    @property
    def details(self) -> dict[str, str] | None:
        """What it is limited to, as an authorization detail (RFC 9396); a guardian's is not."""
        limits = {"item": self.item, "case": self.number}
        given = {name: value for name, value in limits.items() if value is not None}
        return {"type": MANDATE} | given if given else None

    def is_offered(self, now: datetime) -> bool:
        is_open = self.accepted_at is None and self.ended_at is None
        return is_open and now < min(self.ends_at, self.created_at + OFFERED)

    def is_live(self, now: datetime) -> bool:
        return self.accepted_at is not None and self.ended_at is None and now < self.ends_at

    def status(self, now: datetime) -> str:
        """`offered`, `live` or `ended`."""
        return "live" if self.is_live(now) else "offered" if self.is_offered(now) else "ended"


def require_own(actor: Actor) -> str:
    """The person, for themselves: who acts for somebody hands nothing on. Raise `NotPermitted`."""
    if not actor.subject or actor.subject == actor.client or actor.act is not None:
        raise NotPermitted("mandates")
    return actor.subject


def require_scope(item: object, number: object) -> tuple[str | None, str | None]:
    """One service item or one case, not both and not neither. Raise `InvalidInput`."""
    if (item is None) == (number is None):
        raise InvalidInput([Fault(pointer="/item", rule="itemOrNumber", value=None)])
    if isinstance(item, str) and is_part(item):
        return item, None
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) == _NUMBER_DIGITS:
        return None, number
    raise InvalidInput([Fault(pointer="/number" if item is None else "/item", rule="format", value=None)])


def end_of(until: object, now: datetime) -> datetime:
    """The end of the day `until` (a date in ISO 8601), as the region's calendar has it. Raise `InvalidInput`."""
    try:
        last = date.fromisoformat(str(until))
    except ValueError:
        raise InvalidInput([Fault(pointer="/until", rule="format", value="date")]) from None
    today = now.astimezone(_LOCAL).date()
    if last < today:
        raise InvalidInput([Fault(pointer="/until", rule="formatMinimum", value=today.isoformat())])
    if last > today + LONGEST:
        raise InvalidInput([Fault(pointer="/until", rule="formatMaximum", value=(today + LONGEST).isoformat())])
    return _begin(last + timedelta(days=1))


def majority(born: date) -> datetime:
    """The beginning of the day on which somebody comes of age; who was born on 29 February, on 1 March."""
    try:
        return _begin(born.replace(year=born.year + MAJORITY))
    except ValueError:
        return _begin(date(born.year + MAJORITY, 3, 1))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), _LOCAL)
