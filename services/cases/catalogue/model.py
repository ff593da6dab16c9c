"""A service item and the catalogue in memory. No database, no file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

from contracts.errors import NotFound
from services.cases import forms

LANGUAGES = ("zh-Hans", "zh-Hant", "en")

_LISTED = (
    "code",
    "name",
    "summary",
    "kind",
    "department",
    "department_name",
    "region",
    "level",
    "audience",
    "online",
    "promised_days",
    "day_unit",
    "fee",
)


@dataclass(frozen=True, eq=False)
class ServiceItem:
    """One version of what a department offers. `description` is the whole of it, as readers of the API get it."""

    description: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.description["code"])

    @property
    def version(self) -> int:
        return int(self.description["version"])

    @property
    def kind(self) -> str:
        return str(self.description["kind"])

    @property
    def department(self) -> str:
        return str(self.description["department"])

    @property
    def region(self) -> str:
        return str(self.description["region"])

    @property
    def name(self) -> dict[str, str]:
        name: dict[str, str] = self.description["name"]
        return name

    @property
    def assurance(self) -> int:
        """How sure it must be who applies."""
        return int(self.description.get("assurance", 1))

    @property
    def is_online(self) -> bool:
        """Whether a case can be filed here; else it is only said who offers it."""
        return bool(self.description["online"])

    @cached_property
    def validator(self) -> Draft202012Validator:
        """Of its form, which was checked as a schema before it was published."""
        return forms.validator(self.description["form"])

    @cached_property
    def listed(self) -> dict[str, Any]:
        """What a list shows of it."""
        return {field: self.description[field] for field in _LISTED if field in self.description}

    @cached_property
    def searchable(self) -> str:
        return "\n".join((self.code, *self.name.values())).casefold()

    def matches(self, q: str | None, department: str | None, kind: str | None) -> bool:
        return (
            (not q or q.strip().casefold() in self.searchable)
            and (not department or department == self.department)
            and (not kind or kind == self.kind)
        )


class Catalogue:
    """Every service item in its published version, by its code. An item is never taken out: its cases stay."""

    def __init__(self, items: Iterable[ServiceItem], revision: int = 0) -> None:
        self._items = {item.code: item for item in sorted(items, key=lambda item: item.code)}
        self.revision = revision

    def __contains__(self, code: object) -> bool:
        return code in self._items

    def get(self, code: object) -> ServiceItem:
        item = self._items.get(code) if isinstance(code, str) else None
        if item is None:
            raise NotFound("item", code)
        return item

    def name_of(self, code: str) -> dict[str, str]:
        """For lists, which a case of an item that another replica has just published must not break."""
        return self._items[code].name if code in self._items else {"zh-Hans": code}

    def all(self) -> list[ServiceItem]:
        return list(self._items.values())

    def search(self, q: str | None, department: str | None, kind: str | None, after: str = "") -> list[ServiceItem]:
        """In the order of their codes, from behind the code `after`."""
        return [item for code, item in self._items.items() if code > after and item.matches(q, department, kind)]
