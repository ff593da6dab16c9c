"""The rules that no published catalogue breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.cases.catalogue import schema
from services.cases.catalogue.faults import Fault


def faults_of(news: Sequence[dict[str, Any]], others: Iterable[dict[str, Any]] = ()) -> list[Fault]:
    """Every fault of a catalogue of `news` and of `others`, which were looked at on their own when they were new."""
    return [fault for each in news for fault in schema.faults_of(each)]
