"""Figures out of counts."""

import statistics
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from services.cases.statistics.figures import counts_of, percentile, times_of


def row(event="case.approved", days=3, kept=0, count=1):
    return SimpleNamespace(event=event, days=days, kept=kept, count=count)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=200))
def test_the_median_and_the_ninetieth_are_values_that_so_many_do_not_exceed(values):
    counts = {value: values.count(value) for value in values}
    assert percentile(counts, 50) == statistics.median_low(values)
    late = percentile(counts, 90)
    assert late in values
    assert sum(value <= late for value in values) >= 0.9 * len(values)
    assert sum(value < late for value in values) < 0.9 * len(values)


def test_shares_are_of_decisions_and_each_limit_is_told_apart():
    rows = [row(kept=0, count=6), row(kept=1, count=2, event="case.refused"), row(kept=2), row(kept=3, days=40)]
    rows.append(row("case.submitted", -1, -1, 99))
    times = times_of(rows)
    assert (times["decided"], times["within_promised"], times["within_statutory"]) == (10, 0.7, 0.8)
    assert (times["median_days"], times["p90_days"]) == (3, 3)
    assert counts_of(rows)["filed"] == 99
    assert counts_of(rows)["refused"] == 2


def test_without_a_decision_there_is_no_share():
    assert times_of([row("case.submitted", -1, -1, 5)])["within_promised"] is None
