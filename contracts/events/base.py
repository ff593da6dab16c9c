"""What every event has, and what those have that departments hear by their item."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

ROUTED_BY: Final = ("department", "region", "kind", "item")
"""What a routing key says besides the type (`contracts.filters`)."""


@dataclass(frozen=True, slots=True)
class Event:
    """What every event has. `subject` is what its sequence counts for: a case number, an account's `sub`."""

    type: ClassVar[str]
    source: ClassVar[str]
    is_alone: ClassVar[bool] = False
    """Whether it is the only event of its subject: nothing comes before or after it, so its sequence is always 1."""
    is_notice: ClassVar[bool] = False
    """Whether it is the only event of its subject, too, and told to the person: who hears it needs no turn for it."""
    is_private: ClassVar[bool] = False
    """Whether it is told to the person alone: no department may subscribe to it."""

    @property
    def subject(self) -> str:
        raise LookupError(f"{type(self).__name__} names no subject")

    @property
    def routing_key(self) -> str:
        """`<type>.<department>.<region>.<kind>.<item>`, `-` for a part that does not apply."""
        return f"{self.type}.-.-.-.-"

    def to_data(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ItemEvent(Event):
    """An event about a service item, which departments hear by its four fields (`ROUTED_BY`)."""

    @property
    def routing_key(self) -> str:
        return ".".join((self.type, *(str(getattr(self, part)) for part in ROUTED_BY)))
