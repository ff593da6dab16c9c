from datetime import UTC, date, datetime

import pytest

from services.cases.case_number import filing_day, is_case_number


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 3, 2, 15, 59, tzinfo=UTC), date(2026, 3, 2)),
        (datetime(2026, 3, 2, 16, 0, tzinfo=UTC), date(2026, 3, 3)),
    ],
)
def test_filing_day(at, day):
    assert filing_day(at) == day


def test_a_case_number():
    assert is_case_number("202611240000001235")


@pytest.mark.parametrize(
    "text",
    [
        "202611240000001234",
        "202611240000010235",
        "20261124000000123",
        "2026112400000012355",
        "20261124000000123٥",
        "202611240000001235\n",
        "",
        None,
        202611240000001235,
    ],
    ids=repr,
)
def test_no_case_number(text):
    assert not is_case_number(text)
