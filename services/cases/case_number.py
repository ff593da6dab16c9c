"""Case numbers: the day of filing, a running number of nine digits, and a Luhn check digit; 18 digits in all.

The database makes them (`next_case_number` in the first migration), where the running number cannot be given twice.
Their order as text is the order of filing, so lists are paged by them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from stdnum import luhn

_DIGITS = 18
_LOCAL = timezone(timedelta(hours=8), "Asia/Shanghai")
"""All of China, and no summer time since 1991: no need of a time zone database."""


def filing_day(at: datetime) -> date:
    """The day on which something is filed, as the region's calendar has it."""
    return at.astimezone(_LOCAL).date()


def is_case_number(text: object) -> bool:
    """Whether this can be a case number. A mistyped digit is found here, before anybody asks the database."""
    return (
        isinstance(text, str)
        and len(text) == _DIGITS
        and text.isascii()
        and text.isdigit()
        and bool(luhn.is_valid(text))
    )
