"""Who has which document, as the catalogue says it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from services.cases.catalogue import papers
from services.cases.catalogue.model import Catalogue
from services.cases.evidence.domain import DEFAULT_ANSWER_DAYS, DEPARTMENT, ORGANISATION, Source
from services.cases.registries.kinds import all_kinds


def sources_of(item: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Source]:
    """The documents of an item that are fetched, by their code; `item` is its description.

    A department's document without `keys` is not: nobody could find it.
    """
    found = (_source(document, item, catalogue) for document in item.get("documents", ()))
    return {source.document: source for source in found if source is not None}


def _source(document: Mapping[str, Any], item: Mapping[str, Any], catalogue: Catalogue) -> Source | None:
    if document["source"] != "department" or not document.get("keys"):
        return None
    for paper, kind, code, is_issued_here in _givers(document["proofs"], item, catalogue):
        return Source(
            document=document["code"],
            paper=paper,
            kind=kind,
            code=code,
            keys=document["keys"],
            answer_days=document.get("answer_days", DEFAULT_ANSWER_DAYS),
            is_issued_here=is_issued_here,
        )
    return None


def _givers(proofs: list[str], item: Mapping[str, Any], catalogue: Catalogue) -> Iterator[tuple[str, str, str, bool]]:
    known = {**item.get("papers", {}), **papers.shipped()}
    for paper in proofs:
        issuer = catalogue.issuer_of(paper)
        if issuer is not None:
            yield paper, DEPARTMENT, issuer.department, True
        giver = known.get(paper, {}).get("given_by", {})
        for kind in (DEPARTMENT, ORGANISATION):
            if kind in giver:
                yield paper, kind, giver[kind], False


def schema_of(paper: str, catalogue: Catalogue, allowed: Collection[str] | None = None) -> dict[str, Any]:
    """What an answer about this paper may say: the fields that the item states which gives it, else short texts."""
    form = form_of(paper, catalogue, allowed)
    if form is None:
        return _ANYTHING_SHORT
    return {"type": "object", "additionalProperties": False, "minProperties": 1} | form


def form_of(paper: str, catalogue: Catalogue, allowed: Collection[str] | None = None) -> dict[str, Any] | None:
    """Its `properties`, with their names in three languages, and those that are `required`; `None` if nobody says.

    `allowed` are the only ones that may be said; `None` for all.
    """
    issuer = catalogue.issuer_of(paper)
    if issuer is not None:
        properties = issuer.description["form"]["properties"]
        fields = {name: properties[name] for name in issuer.description["result"].get("fields", ())}
        required: Collection[str] = ()
    elif paper in all_kinds():
        fields, required = dict(all_kinds()[paper].fields), all_kinds()[paper].required
    else:
        return None
    names = [name for name in fields if allowed is None or name in allowed]
    # on what a field hangs in the form of the item, it does not hang here
    properties = {name: {key: value for key, value in fields[name].items() if key != "x-show-if"} for name in names}
    return {"properties": properties, "required": [name for name in required if name in names]}


_ANYTHING_SHORT: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 30,
    "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,39}$"},
    "additionalProperties": {"anyOf": [{"type": "string", "maxLength": 500}, {"type": "integer"}, {"type": "boolean"}]},
}
