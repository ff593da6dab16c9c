"""Who may hear which events, and what may be asked of a subscription. No clock, no database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts import topology
from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted
from contracts.filters import ANY, EventFilter
from services.cases.domain import OFFICER, is_program
from services.cases.subscriptions.filters import Offer, fault, require_filter

AMQP: Final = "amqp"
WEBHOOK: Final = "webhook"

NOW: Final = "now"
BEGINNING: Final = "beginning"

STARTING: Final = "starting"
ACTIVE: Final = "active"
ENDED: Final = "ended"

BY_OWNER: Final = "owner"
BY_AGREEMENT: Final = "agreement"
BY_OPERATOR: Final = "operator"

MOST_SUBSCRIPTIONS: Final = 100
"""Standing ones of one owner."""

MOST_NEW_SUBSCRIPTIONS: Final = 200
"""Made by one owner in 24 hours. Each may be sent the whole history, so ending and making again needs an end too."""

MOST_WAITING: Final = 100_000
"""While more events wait for a subscription, it is sent no range again: nobody reads it, and the broker keeps all."""

REPLAY_PAUSE: Final = timedelta(minutes=1)
"""Between two ranges of one subscription: what waits is looked at every few seconds, so it is known by then."""

KEPT: Final = timedelta(days=90)
"""A subscription whose queue is removed is kept so long, for whoever asks why it ended."""

MAX_REFERENCE: Final = 200

# names and owners are parts of queue names, and a token opens `dept.<owner>.*`: no dot
_NAME = re.compile("[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_OWNER = re.compile("[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
# RFC 3339, section 5.6
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a subscription is. Only a department has events of its own."""

    name: str
    is_department: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A subscription that was asked for and checked. `start` is `now`, `beginning` or a time in UTC (RFC 3339)."""

    owner: Owner
    name: str
    filter: EventFilter
    delivery: str
    url: str | None
    start: str
    created_by: str


def patterns_of(wanted: EventFilter, agreement: str | None) -> tuple[str, ...]:
    """What the queue of a subscription is bound to: one that needs an agreement hears no more than that says."""
    return wanted.patterns if agreement is None else wanted.patterns_by_agreement


@dataclass(frozen=True, slots=True)
class Subscription:
    id: str
    owner: str
    name: str
    filter: EventFilter
    delivery: str
    start: str
    agreement: str | None
    created_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None

    @property
    def queue(self) -> topology.Queue:
        return topology.subscription_queue(self.owner, self.name, patterns_of(self.filter, self.agreement))

    def is_as_requested(self, request: Request) -> bool:
        """Whether the request, made again, asks for what there is."""
        asked = (request.filter, request.delivery, request.start)
        return self.ended_at is None and (self.filter, self.delivery, self.start) == asked


@dataclass(frozen=True, slots=True)
class Agreement:
    """What `grantee` may hear beyond its own, until when. `reference` is the paper's."""

    id: str
    grantee: str
    reference: str
    filter: EventFilter
    ends_at: datetime
    ended_at: datetime | None


class ReferenceTaken(Exception):
    """Args: the grantee, the reference."""


def owner_of(actor: Actor, offers: Iterable[Offer]) -> Owner:
    """Whom the actor subscribes for: a program for its department or organisation, an officer for the department."""
    names = {name for offer in offers for name in offer.departments}
    owner = _owner_of_program(actor) if is_program(actor) else _owner_of_officer(actor)
    # an organisation by a department's name would get that department's queues
    if owner is None or not is_owner(owner.name) or (not owner.is_department and owner.name in names):
        raise NotPermitted("subscribe")
    return owner


def _owner_of_program(actor: Actor) -> Owner | None:
    if not actor.has_scope("events") or bool(actor.department) == bool(actor.organisation):
        return None
    return Owner(actor.department or actor.organisation or "", is_department=bool(actor.department))


def _owner_of_officer(actor: Actor) -> Owner | None:
    may = actor.has_role(OFFICER) and (actor.has_scope("events") or actor.has_scope("cases"))
    return Owner(actor.department, is_department=True) if may and actor.department else None


def is_owner(name: str) -> bool:
    return _OWNER.fullmatch(name) is not None


def is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def require_name(name: str) -> str:
    if not is_name(name):
        raise InvalidInput([fault("/name", "subscriptionName", None)])
    return name


def require_delivery(delivery: str, url: str | None) -> None:
    if delivery not in (AMQP, WEBHOOK):
        raise InvalidInput([fault("/delivery", "oneOf", [AMQP, WEBHOOK])])
    if delivery == WEBHOOK and url is None:
        raise InvalidInput([fault("/url", "required", True)])
    if delivery == AMQP and url is not None:
        raise InvalidInput([fault("/url", "webhookOnly", None)])


def require_time(text: str, pointer: str, now: datetime) -> datetime:
    """A time of the past, as RFC 3339 writes it, in UTC."""
    try:
        time = datetime.fromisoformat(text.upper()).astimezone(UTC) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        time = None
    if time is None:
        raise InvalidInput([fault(pointer, "time", None)])
    if time > now:
        raise InvalidInput([fault(pointer, "past", None)])
    return time


def require_start(start: str, now: datetime) -> str:
    return start if start in (NOW, BEGINNING) else require_time(start, "/start", now).isoformat()


def require_range(start: str, end: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """From when to when; None for the beginning, and for now."""
    first = None if start == BEGINNING else require_time(start, "/from", now)
    last = None if end is None else require_time(end, "/until", now)
    if first is not None and last is not None and last <= first:
        raise InvalidInput([fault("/until", "afterFrom", None)])
    return first, last


def require_agreement(
    grantee: str,
    reference: str,
    parts: Mapping[str, Sequence[str]],
    offers: Collection[Offer],
    ends_at: datetime,
    now: datetime,
) -> EventFilter:
    """What is agreed."""
    if not is_owner(grantee):
        raise InvalidInput([fault("/grantee", "owner", grantee)])
    if not 0 < len(reference) <= MAX_REFERENCE:
        raise InvalidInput([fault("/reference", "maxLength", MAX_REFERENCE)])
    require_future(ends_at, now)
    return require_filter(parts, offers)


def require_future(ends_at: datetime, now: datetime) -> None:
    if ends_at <= now:
        raise InvalidInput([fault("/until", "future", ends_at.isoformat())])


def beyond_own(wanted: EventFilter, owner: Owner) -> EventFilter | None:
    """What of `wanted` needs an agreement; None if it is all the owner's own."""
    if not owner.is_department or wanted.departments == (ANY,):
        return wanted
    others = tuple(department for department in wanted.departments if department != owner.name)
    return replace(wanted, departments=others) if others else None


def covering(agreements: Iterable[Agreement], wanted: EventFilter, now: datetime) -> Agreement | None:
    """Of those that hold and allow all of `wanted`, the one that holds longest."""
    allowing = [
        agreement
        for agreement in agreements
        if agreement.ended_at is None and now < agreement.ends_at and agreement.filter.covers(wanted)
    ]
    return max(allowing, key=lambda agreement: agreement.ends_at, default=None)
