"""What an item says of the mutual check of its documents: the fields are there on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.cases.catalogue.wording import say
from services.cases.registries.kinds import all_kinds


def faults_of(
    document: Mapping[str, Any], description: Mapping[str, Any], place: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Of kinds of evidence that are described; what an item gives is known by that item's form."""
    compared: Mapping[str, str] = document.get("compare", {})
    for name in sorted(set(compared) - set(description.get("form", {}).get("properties", {}))):
        yield f"{place}.compare", say("result-field", field=name)
    kinds = [all_kinds()[paper] for paper in document["proofs"] if paper in all_kinds()]
    if len(kinds) == len(document["proofs"]):
        for name in sorted(set(compared.values()) - {field for kind in kinds for field in kind.fields}):
            yield f"{place}.compare.{name}", say("evidence-field", field=name)
        for name in sorted(set(document.get("keys", {})) - {key for kind in kinds for key in kind.keys}):
            yield f"{place}.keys.{name}", say("evidence-field", field=name)
