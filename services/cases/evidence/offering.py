"""Which documents of an item can be fetched now, and from whom: what a form asks consent for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chassis.database import Database, Session
from services.cases.catalogue.model import Catalogue
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
    """Of an item, for the form and for who files over the API."""
    sources = sources_of(description, catalogue).values()
    return [views.source_view(each, catalogue) for each in askable(session, sources, description["code"], now)]


def with_fetched(
    database: Database, catalogue: Catalogue, description: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """The description with `fetched`, where anything is. The database is asked only for items of which it matters."""
    if not sources_of(description, catalogue):
        return description
    with database.transaction() as session:
        return description | {"fetched": described(session, catalogue, description, now)}
