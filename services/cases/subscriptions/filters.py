"""Filters of subscriptions and agreements, held against the catalogue. No clock, no database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, Protocol

from contracts.errors import Fault, InvalidInput
from contracts.events import EVENT_OF_TYPE
from contracts.filters import ANY, MOST_PATTERNS, MOST_VALUES, TYPES, EventFilter, TooManyPatterns

INSTEAD: Final = {"rating.given": "case.rated", "rating.invited": "case.closed", "rating.reminded": "case.closed"}
"""What of the shared history tells the same as an event that is another source's own."""

_PARTS: Final = ("departments", "regions", "kinds", "items")


class Offer(Protocol):
    """What counts of a service item here."""

    @property
    def code(self) -> str: ...
    @property
    def departments(self) -> frozenset[str]: ...
    @property
    def region(self) -> str: ...
    @property
    def kind(self) -> str: ...


def require_filter(parts: Mapping[str, Sequence[str]], offers: Collection[Offer], department: str = ANY) -> EventFilter:
    """A filter that some service item passes, or every wrong place of it. `department` stands in for `departments`."""
    given: dict[str, Sequence[str]] = {"departments": (department,), **parts}
    faults = [fault for part, values in given.items() for fault in _faults_of(part, values, offers)]
    if faults:
        raise InvalidInput(faults)
    wanted = EventFilter(**{part: _in_order(values) for part, values in given.items()})
    if not any(_passes(offer, wanted) for offer in offers):
        raise InvalidInput([fault("/filter", "matchesNothing", None)])
    try:
        _ = wanted.patterns
    except TooManyPatterns as error:
        raise InvalidInput([fault("/filter", "maxPatterns", MOST_PATTERNS)]) from error
    return wanted


def _faults_of(part: str, values: Sequence[str], offers: Collection[Offer]) -> Iterator[Fault]:
    if not values:
        yield fault(f"/filter/{part}", "minItems", 1)
    if len(values) > MOST_VALUES:
        yield fault(f"/filter/{part}", "maxItems", MOST_VALUES)
        return
    known = TYPES if part == "types" else sorted({value for offer in offers for value in _values(offer, part)})
    for index, value in enumerate(values):
        if value != ANY and value not in known:
            rule = "notSubscribable" if value in EVENT_OF_TYPE else "known"
            instead = (INSTEAD[value],) if value in INSTEAD else known
            yield fault(f"/filter/{part}/{index}", rule, list(instead[:MOST_VALUES]))


def _in_order(values: Sequence[str]) -> tuple[str, ...]:
    """So that the same filter is known again."""
    return (ANY,) if ANY in values else tuple(sorted(set(values)))


def _passes(offer: Offer, wanted: EventFilter) -> bool:
    parts = ((getattr(wanted, part), _values(offer, part)) for part in _PARTS)
    return all(named == (ANY,) or not values.isdisjoint(named) for named, values in parts)


def _values(offer: Offer, part: str) -> frozenset[str]:
    """What a part of a filter compares of a service item."""
    if part == "departments":
        return offer.departments
    return frozenset(({"regions": offer.region, "kinds": offer.kind, "items": offer.code}[part],))


def filter_to_dict(wanted: EventFilter) -> dict[str, list[str]]:
    return {part: list(values) for part, values in asdict(wanted).items()}


def filter_from_dict(parts: Mapping[str, Any]) -> EventFilter:
    """As it was saved."""
    return EventFilter(**{part: tuple(values) for part, values in parts.items()})


def fault(pointer: str, rule: str, value: Any) -> Fault:
    return Fault(pointer=pointer, rule=rule, value=value)
