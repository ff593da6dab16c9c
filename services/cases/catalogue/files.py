"""Items as files: the ones that are shipped, and an operator's own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.cases.catalogue.faults import BrokenCatalogue, Fault
from services.cases.catalogue.model import Catalogue, ServiceItem

SHIPPED = Path(__file__).parent / "items"
_MAX_BYTES = 1_000_000


def read_folder(folder: Path = SHIPPED) -> list[dict[str, Any]]:
    return read_files(sorted(folder.glob("*.yaml")))


def read_files(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """As they are, not checked further than that a file is YAML and is named as its item."""
    descriptions, faults = [], []
    for path in paths:
        try:
            descriptions.append(_read(path))
        except BrokenCatalogue as broken:
            faults += broken.faults
    if faults:
        raise BrokenCatalogue(faults)
    return descriptions


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _MAX_BYTES:
        raise BrokenCatalogue([Fault(path.name, "", f"larger than {_MAX_BYTES:,} bytes")])
    try:
        description = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BrokenCatalogue([Fault(path.name, "", f"no YAML in UTF-8: {' '.join(str(error).split())}")]) from error
    if not isinstance(description, dict) or description.get("code") != path.stem:
        raise BrokenCatalogue([Fault(path.name, "$.code", "the file has another name")])
    return description


@cache
def shipped() -> Catalogue:
    """What is shipped, as though it were all that is published: for tests, and tools without a database."""
    return Catalogue(ServiceItem(description) for description in read_folder())
