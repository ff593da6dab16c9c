"""What a reader wants of a list: every part checked, and no part of it ever text of a statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from contracts.actors import CHANNELS
from contracts.errors import Fault, InvalidInput
from services.cases.forms import fault, require_text
from services.cases.work.states import OPEN, STATUSES

FILED, LIMIT = "filed", "limit"
SORTS: Final = (FILED, LIMIT)
STATES: Final = (*STATUSES, "approved", "refused", "open", "ended")
DUE: Final = ("none", "stopped", "running", "due_soon", "overdue", "escalated")
ASSIGNED: Final = ("me", "nobody", "colleague")
OPEN_STATES: Final = (*OPEN, "open")

_MOST_ASKED: Final = 100
_MOST_OF_CODE: Final = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """`None` is anything. `since` and `until` are days of filing, both with the day itself.

    `status` is a status, a decision, or `open` or `ended` for all such; `handler` the department that handles it now;
    `assigned` who has it in hand. `sort`: `filed` the newest first, or `limit`, of open cases, what is due first.
    """

    q: str | None = None
    status: str | None = None
    item: str | None = None
    department: str | None = None
    region: str | None = None
    channel: str | None = None
    handler: str | None = None
    assigned: str | None = None
    due: str | None = None
    since: date | None = None
    until: date | None = None
    sort: str = FILED


def read(asked: object) -> Wanted:
    """Raise `InvalidInput` with every fault; the names are those of the API's query (`from`, not `since`)."""
    if asked is None:
        return Wanted()
    if not isinstance(asked, Mapping):
        raise InvalidInput([fault("/filter", "type", "object")])
    faults: list[Fault] = [fault(f"/{name}", "additionalProperties", False) for name in asked if name not in _READERS]
    values: dict[str, Any] = {}
    for name, reader in _READERS.items():
        try:
            values["since" if name == "from" else name] = reader(asked.get(name), f"/{name}")
        except InvalidInput as error:
            faults += error.faults
    if not faults:
        faults = list(_contradictions(values))
    if faults:
        raise InvalidInput(faults[:20])
    return Wanted(**values | {"sort": values["sort"] or FILED})


def _contradictions(values: Mapping[str, Any]) -> list[Fault]:
    if values["since"] and values["until"] and values["since"] > values["until"]:
        return [fault("/until", "minimum", values["since"].isoformat())]
    if values["sort"] == LIMIT and values["status"] not in (None, *OPEN_STATES):
        # what has ended has no limit to be sorted by
        return [fault("/sort", "openOnly", True)]
    return []


def _text(most: int) -> Callable[[object, str], str | None]:
    return lambda value, pointer: require_text(value, pointer, most)


def _one_of(choices: tuple[str, ...]) -> Callable[[object, str], str | None]:
    def choice(value: object, pointer: str) -> str | None:
        if value in (None, ""):
            return None
        if value not in choices:
            raise InvalidInput([fault(pointer, "enum", list(choices))])
        return str(value)

    return choice


FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Of a day that anybody asks for: behind the last one nothing can be counted."""


def _day(value: object, pointer: str) -> date | None:
    if value in (None, ""):
        return None
    try:
        day = date.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidInput([fault(pointer, "format", "date")]) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput([fault(pointer, "format", "date")])
    return day


_READERS: Final[Mapping[str, Callable[[object, str], Any]]] = {
    "q": _text(_MOST_ASKED),
    "status": _one_of(STATES),
    "item": _text(_MOST_OF_CODE),
    "department": _text(_MOST_OF_CODE),
    "region": _text(_MOST_OF_CODE),
    "channel": _one_of(CHANNELS),
    "handler": _text(_MOST_OF_CODE),
    "assigned": _one_of(ASSIGNED),
    "due": _one_of(DUE),
    "from": _day,
    "until": _day,
    "sort": _one_of(SORTS),
}
