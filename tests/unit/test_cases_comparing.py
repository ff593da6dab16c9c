"""The mutual check: what counts as the same, and what a comparison always holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cases.catalogue.script import to_simplified
from services.cases.registries.comparing import Outcome, Way, compare, differences, is_same

TEXTS = st.text(alphabet=st.sampled_from("王小明發髮发陈陳 aBc·1２/-　Ａß年月日."), max_size=12)
VALUES = st.one_of(TEXTS, st.none(), st.integers(), st.booleans(), st.floats(), st.lists(st.integers(), max_size=2))
WAYS = st.sampled_from(list(Way))


@pytest.mark.parametrize(
    ("said", "found", "way"),
    [
        ("王 小明", "王小明", Way.NAME),
        ("ＪＯＨＮ　Smith", "john  smith", Way.NAME),
        ("阿依古丽·买买提", "阿依古丽•买买提", Way.NAME),
        ("陳小梅", "陈小梅", Way.NAME),
        ("廣安市廣安區", "广安市广安区", Way.TEXT),
        ("11010519491231002x", "11010519491231002X", Way.TEXT),
        ("2026-10-20", "2026年10月20日", Way.DATE),
        ("2026-10-02", "20261002", Way.DATE),
        ("2026/1/2", "2026-01-02T00:00:00+08:00", Way.DATE),
        ("1,200.50", "1200.5", Way.NUMBER),
    ],
)
def test_one_thing_written_in_two_ways_is_the_same(said: str, found: str, way: Way) -> None:
    assert is_same(said, found, way, to_simplified)


@pytest.mark.parametrize(
    ("said", "found", "way"),
    [
        ("王小明", "王小朋", Way.NAME),
        # one character in simplified, two in traditional: both say which they mean
        ("陳發", "陳髮", Way.NAME),
        ("John Smith", "JohnSmith", Way.NAME),
        ("2026-10-20", "2026-10-21", Way.DATE),
        ("2026-02-30", "2026-03-02", Way.DATE),
        ("12", "12.01", Way.NUMBER),
        ("广安路8号", "广安路18号", Way.TEXT),
    ],
)
def test_another_thing_differs(said: str, found: str, way: Way) -> None:
    assert not is_same(said, found, way, to_simplified)


@given(said=TEXTS, found=TEXTS, way=WAYS)
def test_it_does_not_matter_who_is_asked_first(said: str, found: str, way: Way) -> None:
    assert is_same(said, found, way, to_simplified) == is_same(found, said, way, to_simplified)


@given(said=TEXTS, way=WAYS)
def test_everything_is_the_same_as_itself_however_it_is_spaced(said: str, way: Way) -> None:
    assert is_same(said, said, way, to_simplified)
    assert is_same(said, f"  {said.upper().lower()}\u3000", way, to_simplified)


@given(
    form=st.dictionaries(st.sampled_from("abcd"), VALUES),
    evidence=st.dictionaries(st.sampled_from("wxyz"), VALUES),
    pairs=st.dictionaries(st.sampled_from("abcd"), st.sampled_from("wxyz")),
    ways=st.dictionaries(st.sampled_from("wxyz"), WAYS),
)
def test_every_field_that_is_declared_has_one_outcome(form, evidence, pairs, ways) -> None:
    compared = compare(pairs, form, evidence, ways, to_simplified)
    assert [(each.field, each.evidence_field) for each in compared] == list(pairs.items())
    for each in compared:
        is_missing = each.said is None or each.found is None
        assert (each.outcome is Outcome.MISSING) == is_missing
    assert {each.outcome for each in differences(compared)} <= {Outcome.DIFFERS}


@given(st.text(alphabet="0123456789.eE+-,", max_size=12), st.text(alphabet="0123456789.eE+-,", max_size=12))
def test_no_number_takes_long_or_fails(said: str, found: str) -> None:
    is_same(said, found, Way.NUMBER, to_simplified)


def test_what_only_one_of_both_says_is_missing() -> None:
    compared = compare({"a": "x", "b": "y"}, {"a": "  "}, {"x": "1", "y": "2"}, {}, to_simplified)
    assert [(each.outcome, each.said, each.found) for each in compared] == [
        ("missing", None, "1"),
        ("missing", None, "2"),
    ]
