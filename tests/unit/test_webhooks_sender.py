"""What an endpoint's answer can say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chassis.webhooks.sender import _retry_after

NOW = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Tue, 24 Nov 2026 08:02:00 GMT", 120),
        ("Tue, 24 Nov 2026 07:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-1", None),
        # an endpoint must not have its answer taken for an error of ours, nor the log filled
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("Mon, 1 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 1 Jan 2020 00:00:00 +99999999999999999999", None),
    ],
)
def test_when_to_come_again(value: str, seconds: float | None) -> None:
    assert _retry_after([(b"Retry-After", value.encode())], NOW) == seconds
