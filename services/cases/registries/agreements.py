"""Which organisation outside government may give which evidence for which service items. No clock, no database.

A department needs no agreement: the law that makes it competent is one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from contracts.errors import Fault, InvalidInput

ANY: Final = "*"
SCOPE: Final = "evidence:answer"
"""What the client of a source needs besides an agreement."""

MAX_REFERENCE: Final = 200
_NAME = re.compile("[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Terms:
    """`documents` is kind of evidence -> the fields that it may have, or `None` for all; `items` codes, or `*`."""

    documents: Mapping[str, tuple[str, ...] | None]
    items: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Agreement:
    """`reference` is the paper's."""

    id: str
    source: str
    reference: str
    terms: Terms
    ended_at: datetime | None = None

    def is_in_force(self, now: datetime) -> bool:
        return self.ended_at is None and self.terms.starts_at <= now < self.terms.ends_at

    def covers(self, kind: str, item: str) -> bool:
        return kind in self.terms.documents and (ANY in self.terms.items or item in self.terms.items)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a source may give: a department everything that it has, an organisation what its agreement says."""

    agreement: str | None = None
    fields: tuple[str, ...] | None = None

    def narrow(self, evidence: Mapping[str, Any]) -> dict[str, Any]:
        """Only what is allowed: what is said beyond it was never handed over."""
        return {name: value for name, value in evidence.items() if self.fields is None or name in self.fields}


@dataclass(frozen=True, slots=True)
class Known:
    """What an agreement may name: kinds of evidence with their fields, and service items."""

    documents: Mapping[str, Collection[str]]
    items: Collection[str]
    departments: Collection[str] = field(default_factory=frozenset)


def allowing(agreements: Iterable[Agreement], kind: str, item: str, now: datetime) -> Allowed | None:
    """By the agreement in force that holds longest; `None` if nothing allows it."""
    found = [each for each in agreements if each.is_in_force(now) and each.covers(kind, item)]
    if not found:
        return None
    longest = max(found, key=lambda each: each.terms.ends_at)
    return Allowed(longest.id, longest.terms.documents[kind])


def require_terms(source: str, reference: str, terms: Terms, known: Known, now: datetime) -> None:
    """Raise `InvalidInput` with everything that is wrong."""
    faults = [*_faults_of_names(source, reference, known), *_faults_of_scope(terms, known)]
    if terms.ends_at <= max(now, terms.starts_at):
        faults.append(Fault(pointer="/until", rule="future", value=terms.ends_at.isoformat()))
    if faults:
        raise InvalidInput(faults)


def require_future(ends_at: datetime, now: datetime) -> None:
    if ends_at <= now:
        raise InvalidInput([Fault(pointer="/until", rule="future", value=ends_at.isoformat())])


def is_name(name: str) -> bool:
    """As owners of clients are called, too."""
    return _NAME.fullmatch(name) is not None


def _faults_of_names(source: str, reference: str, known: Known) -> Iterable[Fault]:
    # a department's name would let an organisation answer what only the department may
    if not is_name(source) or source in known.departments:
        yield Fault(pointer="/source", rule="owner", value=source)
    if not 0 < len(reference) <= MAX_REFERENCE:
        yield Fault(pointer="/reference", rule="maxLength", value=MAX_REFERENCE)


def _faults_of_scope(terms: Terms, known: Known) -> Iterable[Fault]:
    if not terms.documents:
        yield Fault(pointer="/document", rule="required", value=None)
    if not terms.items:
        yield Fault(pointer="/item", rule="required", value=None)
    for kind, fields in terms.documents.items():
        if kind not in known.documents:
            yield Fault(pointer="/document", rule="known", value=sorted(known.documents))
        elif fields is not None and (not fields or not set(fields) <= set(known.documents[kind])):
            yield Fault(pointer=f"/document/{kind}", rule="known", value=sorted(known.documents[kind]))
    unknown = [item for item in terms.items if item != ANY and item not in known.items]
    yield from (Fault(pointer="/item", rule="no-such-item", value=item) for item in unknown)
