"""Papers that no item gives: what kinds there are, who gives them, and which the platform holds itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.cases.catalogue import wording
from services.cases.catalogue.faults import Fault

_FILE = Path(__file__).parent / "papers.yaml"

Papers = Mapping[str, Mapping[str, Any]]


@cache
def shipped() -> Papers:
    papers: Papers = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return papers


def papers_of(descriptions: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The shipped ones, and those that items bring with them."""
    papers = dict(shipped())
    for description in descriptions:
        for code, paper in description.get("papers", {}).items():
            papers.setdefault(code, paper)
    return papers


def faults_of(descriptions: Iterable[Mapping[str, Any]], papers: Papers) -> Iterator[Fault]:
    """One paper is one thing, whoever describes it."""
    for description in descriptions:
        for code, paper in description.get("papers", {}).items():
            if paper != papers[code]:
                yield wording.fault(description["code"], f"$.papers.{code}", "paper-differs", paper=code)
