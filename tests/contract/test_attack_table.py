"""docs/security.md and docs/bad-input.md name tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {letter: ROOT / "tests" / name for letter, name in zip("EIU", ("e2e", "integration", "unit"), strict=True)}
TABLE = (ROOT / "docs" / "security.md").read_text()
BAD_INPUT = (ROOT / "docs" / "bad-input.md").read_text()
NAMED = sorted(set(re.findall(r"`([EIU])/(test_\w+\.py)::(test_\w+)`", TABLE + BAD_INPUT)))


@cache
def names_in(file: Path) -> set[str]:
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("folder", "file", "test"), NAMED)
def test_an_attack_has_the_test_that_is_named(folder: str, file: str, test: str) -> None:
    assert test in names_in(FOLDERS[folder] / file)


def test_every_attack_names_a_test() -> None:
    rows = [
        line
        for line in (TABLE + BAD_INPUT).splitlines()
        if line.startswith("| ") and not line.startswith(("| attack", "| input"))
    ]
    assert len(rows) > 50
    assert not [row for row in rows if "::" not in row.rsplit("|", 2)[1]]
