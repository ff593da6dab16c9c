"""The codes of departments that official lists know by name only."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.cases.catalogue.model import LANGUAGES
from services.cases.catalogue.script import to_pinyin, to_traditional

_FILE = Path(__file__).parent / "departments.yaml"
_PLACE = re.compile("^(?:[\u4e00-\u9fff]{2,5}?[区县市省州]|[区县市省州])(?=[\u4e00-\u9fff]{2})")
_MOST = 64


def department_of(official: str) -> tuple[str, dict[str, str]]:
    """Code and name of `区民政局`: known ones from the table, whatever their place; else made of the name.

    The code of one that is not in the table depends on its name alone, so the next import gives the same.
    """
    code = _known().get(official) or _known().get(_PLACE.sub("", official))
    if code:
        return code, {language: _table()[code][language] for language in LANGUAGES}
    return _code_of(official), {"zh-Hans": official, "zh-Hant": to_traditional(official)}


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return table


@cache
def _known() -> dict[str, str]:
    return {name: code for code, entry in _table().items() for name in (entry["zh-Hans"], *entry.get("also", ()))}


def _code_of(name: str) -> str:
    """Two names that are spoken alike, or are cut, still have two codes."""
    spoken = "-".join(re.findall("[a-z0-9]+", " ".join(to_pinyin(name)).casefold()))
    tail = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{spoken[: _MOST - len(tail) - 1].strip('-')}-{tail}".strip("-")
