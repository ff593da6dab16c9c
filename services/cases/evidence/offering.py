"""Which documents of an item can be fetched now, and from whom: what a form asks consent for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from services.cases.catalogue.model import Catalogue
from services.cases.catalogue.parts import parts_of
from services.cases.evidence import domain, views
from services.cases.evidence.domain import Source
from services.cases.evidence.sources import sources_of
from services.cases.registries import store as registries
from services.cases.registries.agreements import allowing


def askable(session: Session, sources: Iterable[Source], item: str, now: datetime) -> list[Source]:
    """Those whose sources may be asked: an organisation only under an agreement. A query an organisation."""
    wanted = list(sources)
    organisations = {source.code for source in wanted if source.kind == domain.ORGANISATION}
    agreements = {code: registries.agreements_of(session, code) for code in sorted(organisations)}
    return [
        source
        for source in wanted
        if source.kind == domain.DEPARTMENT or allowing(agreements[source.code], source.paper, item, now)
    ]


def described(
    session: Session, catalogue: Catalogue, description: Mapping[str, Any], now: datetime
) -> list[dict[str, Any]]:
    """Of an item, for the form and for who files over the API; of a joint one, of the parts that begin with it."""
    offered: dict[str, dict[str, Any]] = {}
    for part, fields in _asked_at_once(catalogue, description):
        names = {each["code"]: each["name"] for each in part["documents"]}
        for each in askable(session, sources_of(part, catalogue).values(), part["code"], now):
            keys = [fields[key] if fields else key for key in each.keys.values() if not fields or key in fields]
            offered.setdefault(each.document, views.source_view(each, catalogue, names[each.document], keys))
    return list(offered.values())


def documents_of(catalogue: Catalogue, description: Mapping[str, Any]) -> set[str]:
    """Those that a filing may consent to."""
    parts = _asked_at_once(catalogue, description)
    return {document for part, _ in parts for document in sources_of(part, catalogue)}


def with_fetched(
    database: Database, catalogue: Catalogue, description: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """The description with `fetched`, where anything is. The database is asked only for items of which it matters."""
    if not documents_of(catalogue, description):
        return description
    with database.transaction() as session:
        return description | {"fetched": described(session, catalogue, description, now)}


def _asked_at_once(
    catalogue: Catalogue, description: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, str]]]:
    """The item, or the parts of a joint one that wait for no other, each with which of its fields is which of the form.

    What is asked for a part that begins later is its applicant's to consent to then, on its own case.
    """
    if "parts" not in description:
        yield description, {}
    for part in parts_of(description):
        if not part.needs and part.item in catalogue:
            yield catalogue.get(part.item).description, part.fields
