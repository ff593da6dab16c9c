"""A service item and the catalogue in memory. No database, no file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

from contracts.errors import NotFound
from services.cases import forms
from services.cases.catalogue.parts import Part, parts_of
from services.cases.catalogue.search.entries import Entry, entry_of
from services.cases.catalogue.search.index import Index
from services.cases.work.procedure import Procedure

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

    @cached_property
    def departments(self) -> frozenset[str]:
        """Those that may have a case of it: the competent one, those of its steps, and whom they may be passed to."""
        steps = self.procedure.steps.values()
        handling = {step.department for step in steps if step.department}
        return frozenset({self.department, *handling, *(taker for step in steps for taker in step.delegates)})

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

    @property
    def is_joint(self) -> bool:
        """Whether its form files several items (`catalogue.parts`)."""
        return "parts" in self.description

    @cached_property
    def parts(self) -> list[Part]:
        return parts_of(self.description)

    @cached_property
    def validator(self) -> Draft202012Validator:
        """Of its form, which was checked as a schema before it was published."""
        return forms.validator(self.description["form"])

    @cached_property
    def procedure(self) -> Procedure:
        return Procedure.of(self.description)

    @cached_property
    def listed(self) -> dict[str, Any]:
        """What a list shows of it."""
        return {field: self.description[field] for field in _LISTED if field in self.description}

    @cached_property
    def entry(self) -> Entry:
        """What of it is searched."""
        return entry_of(self.description)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader wants to see only; `None` is everything."""

    department: str | None = None
    kind: str | None = None
    audience: str | None = None
    online: bool | None = None

    def matches(self, item: ServiceItem) -> bool:
        return (
            (not self.department or self.department == item.department)
            and (not self.kind or self.kind == item.kind)
            and (not self.audience or item.description["audience"] in (self.audience, "any"))
            and (self.online is None or self.online == item.is_online)
        )


@dataclass(frozen=True, slots=True)
class Search:
    """Items, the best first; what was probably meant, if nothing matched as it was written."""

    items: list[ServiceItem]
    meant: dict[str, str] | None = None


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

    def issuer_of(self, paper: str) -> ServiceItem | None:
        """The item whose electronic result a paper is, if there is one."""
        return self._issuers.get(paper)

    @cached_property
    def _issuers(self) -> dict[str, ServiceItem]:
        results = ((item, item.description.get("result", {})) for item in reversed(self._items.values()))
        return {result["code"]: item for item, result in results if result.get("electronic") and item.is_online}

    def all(self) -> list[ServiceItem]:
        return list(self._items.values())

    @cached_property
    def index(self) -> Index:
        """Made once, and by whoever loads the catalogue: it takes longer than any search."""
        return Index([item.entry for item in self._items.values()])

    def search(self, q: str | None) -> Search:
        items = self.all()
        if not (q and q.strip()):
            return Search([items[place] for place in self.index.everything])
        found = self.index.search(q)
        return Search([items[place] for place in found.places], found.meant)
