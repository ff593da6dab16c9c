"""The rules of a draft: how changes of two channels come together, what fits a newer form. No clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.errors import InvalidInput

MOST_DRAFTS: Final = 20
"""Of one person."""

KEPT: Final = timedelta(days=30)
"""From its last change on."""

REMINDED_BEFORE: Final = timedelta(days=3)
"""The end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in one field: JSON as typed, None for emptied. `before` is what stood there until `revision`."""

    value: Any
    revision: int
    channel: str
    before: Any = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that somebody is still filling in, under the version of the item that it was begun with.

    `revision` rises with every change. `left_over` are answers of an older form that have no place in this one.
    """

    id: str
    applicant: str
    item: str
    item_version: int
    revision: int
    channel: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    entries: Mapping[str, Entry]
    left_over: Mapping[str, Any]

    @property
    def form(self) -> dict[str, Any]:
        return {name: entry.value for name, entry in self.entries.items() if entry.value is not None}


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that another channel changed meanwhile: what stands there stays, `refused` was not saved."""

    field: str
    stands: Any
    refused: Any
    channel: str


@dataclass(frozen=True, slots=True)
class Merge:
    draft: Draft
    conflicts: tuple[Conflict, ...]


def begun(draft_id: str, applicant: str, item: str, item_version: int, *, channel: str, at: datetime) -> Draft:
    return Draft(draft_id, applicant, item, item_version, 0, channel, at, at, at + KEPT, {}, {})


def merge(draft: Draft, changes: Mapping[str, Any], base: int, *, channel: str, at: datetime) -> Merge:
    """Put in what was changed by somebody who knew the draft as of revision `base`.

    A field that nobody else has changed since is taken. Of one that was changed, who comes second hears of it; the
    newer does not win. A field that is sent as it was at `base` was not touched there: that is no conflict.
    """
    if not 0 <= base <= draft.revision:
        raise InvalidInput([{"pointer": "/base", "rule": "maximum", "value": draft.revision}])
    conflicts, taken = [], {}
    for name, value in changes.items():
        stands = draft.entries.get(name, Entry(None, 0, channel))
        if value == stands.value:
            continue
        if stands.revision <= base:
            taken[name] = Entry(value, draft.revision + 1, channel, before=stands.value)
        elif value != stands.before:
            conflicts.append(Conflict(name, stands.value, value, stands.channel))
    if not taken:
        return Merge(draft, tuple(conflicts))
    merged = replace(
        draft,
        revision=draft.revision + 1,
        channel=channel,
        updated_at=at,
        expires_at=at + KEPT,
        entries={**draft.entries, **taken},
    )
    return Merge(merged, tuple(conflicts))


def carry_over(draft: Draft, version: int, form: Mapping[str, Any], *, channel: str, at: datetime) -> Draft:
    """The draft under another version of its item, whose form is the JSON Schema `form`.

    What has no field there, or cannot stand in it, is left over, by name.
    """
    properties: Mapping[str, Any] = form["properties"]
    kept = {
        name: entry for name, entry in draft.entries.items() if name in properties and fits(entry, properties[name])
    }
    left = {name: value for name, value in draft.form.items() if name not in kept}
    return replace(
        draft,
        item_version=version,
        revision=draft.revision + 1,
        channel=channel,
        updated_at=at,
        expires_at=at + KEPT,
        entries=kept,
        left_over={**draft.left_over, **left},
    )


def fits(entry: Entry, schema: Mapping[str, Any]) -> bool:
    """Whether a field can show it: of the kind that the field takes, and one of its choices if it has them.

    What is only written wrongly fits: it is said when the form is filed.
    """
    value = entry.value
    if value is None or ("enum" in schema and value in schema["enum"]):
        return True
    kinds: dict[str, Any] = {"string": str, "integer": int | str, "number": int | float | str, "boolean": bool}
    kind = kinds.get(schema["type"], object)
    return "enum" not in schema and isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
