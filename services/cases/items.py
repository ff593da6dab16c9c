"""The catalogue of service items: loaded once at the start, whole and checked, or the process does not start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, SchemaError

from contracts.errors import InvalidInput, NotFound
from services.cases import forms

_FOLDER = Path(__file__).parent / "catalogue"
_ITEM_SCHEMA = Path(__file__).parent / "item-schema.yaml"
_LISTED = ("code", "name", "summary", "kind", "department", "region", "audience", "promised_days", "day_unit", "fee")


class BrokenItem(ValueError):
    """A file of the catalogue says something that cannot be right."""


@dataclass(frozen=True)
class ServiceItem:
    """What a department offers. `description` is the whole of it, as readers of the API get it."""

    code: str
    version: int
    kind: str
    department: str
    region: str
    name: dict[str, str]
    assurance: int
    description: dict[str, Any]
    validator: Draft202012Validator

    @cached_property
    def listed(self) -> dict[str, Any]:
        """What a list shows of it."""
        return {field: self.description[field] for field in _LISTED}

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
    """Every service item, by its code. An item is never taken out: its cases stay."""

    def __init__(self, items: Iterable[ServiceItem]) -> None:
        self._items = {item.code: item for item in sorted(items, key=lambda item: item.code)}

    def __contains__(self, code: object) -> bool:
        return code in self._items

    def get(self, code: object) -> ServiceItem:
        item = self._items.get(code) if isinstance(code, str) else None
        if item is None:
            raise NotFound("item", code)
        return item

    def all(self) -> list[ServiceItem]:
        return list(self._items.values())

    def search(self, q: str | None, department: str | None, kind: str | None, after: str = "") -> list[ServiceItem]:
        """In the order of their codes, from behind the code `after`."""
        return [item for code, item in self._items.items() if code > after and item.matches(q, department, kind)]


def load_catalogue(folder: Path = _FOLDER) -> Catalogue:
    """Read `folder/*.yaml`, or raise `BrokenItem` with the file's name and what is wrong in it."""
    item_schema = forms.compile_schema(yaml.safe_load(_ITEM_SCHEMA.read_text(encoding="utf-8")))
    return Catalogue(_load(path, item_schema) for path in sorted(folder.glob("*.yaml")))


def _load(path: Path, item_schema: Draft202012Validator) -> ServiceItem:
    description = yaml.safe_load(path.read_text(encoding="utf-8"))
    for error in item_schema.iter_errors(description):
        raise BrokenItem(f"{path.name}: {error.json_path}: {error.message}")
    try:
        validator = forms.compile_schema(description["form"])
        forms.require_valid(description["example"], validator)
    except SchemaError as error:
        raise BrokenItem(f"{path.name}: form: {error.message}") from error
    except InvalidInput as error:
        raise BrokenItem(f"{path.name}: example: {error.faults}") from error
    _require_consistent(path, description)
    return _item(description, validator)


def _require_consistent(path: Path, description: dict[str, Any]) -> None:
    """What a schema cannot say."""
    if description["code"] != path.stem:
        raise BrokenItem(f"{path.name}: code: the file has another name")
    placed = sorted(field for section in description["layout"] for field in section["fields"])
    if placed != sorted(description["form"]["properties"]):
        raise BrokenItem(f"{path.name}: layout: every field of the form stands in it, once")
    for name, field in description["form"]["properties"].items():
        if set(field.get("enum", ())) != set(field.get("x-labels", ())):
            raise BrokenItem(f"{path.name}: form: {name}: every choice has a label")


def _item(description: dict[str, Any], validator: Draft202012Validator) -> ServiceItem:
    return ServiceItem(
        **{name: description[name] for name in ("code", "version", "kind", "department", "region", "name")},
        assurance=description.get("assurance", 1),
        description=description,
        validator=validator,
    )
