"""The rules that no published catalogue breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.cases.catalogue import joint_faults, papers, proofs, schema
from services.cases.catalogue.faults import Fault
from services.cases.catalogue.proofs import ProofGraph


def faults_of(news: Sequence[dict[str, Any]], others: Iterable[dict[str, Any]] = ()) -> list[Fault]:
    """Every fault of a catalogue of `news` and of `others`, which were looked at on their own when they were new.

    Proofs and joint items are looked at together: a new item may break what an old one relies on. That is done when
    each new item is right on its own.
    """
    faults = [fault for each in news for fault in schema.faults_of(each)]
    return faults or _faults_together([*news, *others], frozenset(each["code"] for each in news))


def _faults_together(all_items: list[dict[str, Any]], first: frozenset[str]) -> list[Fault]:
    known = papers.papers_of(all_items)
    graph = ProofGraph.of(all_items, known)
    return sorted(
        [*papers.faults_of(all_items, known), *proofs.faults_of(graph, first), *joint_faults.faults_of(all_items)]
    )
