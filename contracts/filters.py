"""Which events a subscription hears, and the routing keys (AMQP 0-9-1 topic patterns) that say so to the broker."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from contracts import topology

ANY = "*"
MOST_VALUES = 50
"""Values of one part of a filter."""

MOST_PATTERNS = 500
"""Bindings of one subscription. Each costs the broker a little for every event of the source."""

_PART = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A part of a routing key holds no dot."""


class TooManyPatterns(ValueError):
    """Args: how many bindings the filter would need."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """An event passes if each part names its value or is `*`. `types` are whole (`case.submitted`)."""

    types: tuple[str, ...] = (ANY,)
    departments: tuple[str, ...] = (ANY,)
    regions: tuple[str, ...] = (ANY,)
    kinds: tuple[str, ...] = (ANY,)
    items: tuple[str, ...] = (ANY,)

    @property
    def patterns(self) -> tuple[str, ...]:
        """`<type>.<department>.<region>.<kind>.<item>`. Raise `TooManyPatterns` for more than `MOST_PATTERNS`."""
        return self._patterns(_EVERY_TYPE)

    @property
    def patterns_by_agreement(self) -> tuple[str, ...]:
        """The same for others' events: `*` is their shared history, and not what they are asked for as sources."""
        return self._patterns(_HISTORY)

    def _patterns(self, every: tuple[str, ...]) -> tuple[str, ...]:
        parts = [every if self.types == (ANY,) else self.types]
        parts += [self.departments, self.regions, self.kinds, self.items]
        count = 1
        for part in parts:
            count *= len(part)
        if count > MOST_PATTERNS:
            raise TooManyPatterns(count)
        return tuple(".".join(key) for key in product(*parts))

    def covers(self, other: EventFilter) -> bool:
        """Whether an agreement on what passes this one allows what passes `other`.

        `*` is the shared history there: what a source of evidence is asked has to be named.
        """
        named = self.types == (ANY,) and any(not each.startswith("case.") for each in other.types if each != ANY)
        return not named and all(
            mine == (ANY,) or (theirs != (ANY,) and set(theirs) <= set(mine))
            for mine, theirs in zip(self._parts, other._parts, strict=True)
        )

    @property
    def _parts(self) -> tuple[tuple[str, ...], ...]:
        return (self.types, self.departments, self.regions, self.kinds, self.items)


TYPES = tuple(event.type for event in topology.history_of(topology.SUBSCRIBABLE))
"""What `types` may name."""

_HISTORY = ("case.*",)
_EVERY_TYPE = (*_HISTORY, "evidence.*")
"""What `*` is: the shared history, and what a department is asked for as a source of evidence."""


def is_part(value: str) -> bool:
    return _PART.fullmatch(value) is not None


def matches(patterns: Iterable[str], routing_key: str) -> bool:
    """As a topic exchange does: `*` is one word, `#` none or more."""
    return any(re.fullmatch(to_regex(pattern), f".{routing_key}") for pattern in patterns)


def to_regex(pattern: str) -> str:
    """A regular expression for Python and PostgreSQL, to be matched whole with a routing key behind a dot."""
    return "".join(_WORDS.get(word) or rf"\.{re.escape(word)}" for word in pattern.split("."))


_WORDS = {ANY: r"\.[^.]+", "#": r"(\.[^.]+)*"}
