"""What can be wrong with a catalogue, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST_SHOWN = 5


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One wrong thing: the item's code, the place in it (JSONPath, or empty for the whole), the reason.

    `reason` is in English; `translations` holds it in every language of the catalogue where it is one of our own
    sentences (`wording`), and nothing where a library says it.
    """

    item: str
    place: str
    reason: str
    translations: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return self.said_in("en")

    def said_in(self, language: str) -> str:
        reason = self.translations.get(language, self.reason)
        return ": ".join(part for part in (self.item, self.place, reason) if part)


class BrokenCatalogue(ValueError):
    """Nothing was published. `faults` holds every fault that was found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        shown = "; ".join(str(fault) for fault in self.faults[:MOST_SHOWN])
        more = len(self.faults) - MOST_SHOWN
        super().__init__(f"{shown}; and {more} more" if more > 0 else shown)
