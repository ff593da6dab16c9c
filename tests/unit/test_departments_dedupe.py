from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from departments.dedupe import Dedupe, MemoryDedupe, SqliteDedupe


@pytest.fixture(params=["memory", "sqlite"])
def dedupe(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dedupe]:
    if request.param == "memory":
        yield MemoryDedupe()
        return
    dedupe = SqliteDedupe(tmp_path / "handled")
    yield dedupe
    dedupe.close()


def test_an_event_is_known_after_it_was_added(dedupe: Dedupe) -> None:
    assert not dedupe.contains("cases", "1")
    dedupe.add("cases", "1")
    dedupe.add("cases", "1")
    assert dedupe.contains("cases", "1")


def test_the_same_id_of_another_source_is_another_event(dedupe: Dedupe) -> None:
    dedupe.add("cases", "1")
    assert not dedupe.contains("rating", "1")


def test_memory_is_bounded() -> None:
    dedupe = MemoryDedupe(limit=2)
    for event_id in ("1", "2", "1", "3"):
        dedupe.add("cases", event_id)
    assert [dedupe.contains("cases", event_id) for event_id in ("1", "2", "3")] == [True, False, True]


def test_a_file_outlives_its_process(tmp_path: Path) -> None:
    first = SqliteDedupe(tmp_path / "handled")
    first.add("cases", "1")
    first.close()
    second = SqliteDedupe(tmp_path / "handled")
    assert second.contains("cases", "1")
    second.close()


def test_a_file_forgets_what_is_old(tmp_path: Path) -> None:
    for day, event_id in ((0, "old"), (60, "new")):
        dedupe = SqliteDedupe(tmp_path / "handled", timedelta(days=90), now=lambda day=day: day * 86_400.0)
        dedupe.add("cases", event_id)
        dedupe.close()
    dedupe = SqliteDedupe(tmp_path / "handled", timedelta(days=90), now=lambda: 100 * 86_400.0)
    assert not dedupe.contains("cases", "old")
    assert dedupe.contains("cases", "new")
    dedupe.close()
