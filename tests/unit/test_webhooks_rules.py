"""When a delivery is tried again and given up, and when its endpoint rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from chassis.webhooks import rules
from chassis.webhooks.rules import Breaker, Result

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
TAKEN = Result(NOW, 5, 200)
REFUSED = Result(NOW, 5, 503)


def failed(times: int, breaker: Breaker | None = None) -> Breaker:
    """So many failures in a row, each at a time when the endpoint does not rest."""
    breaker = breaker or Breaker()
    for _ in range(times):
        breaker = breaker.after(REFUSED, breaker.rests_until or NOW)
    return breaker


@pytest.mark.parametrize("status_code", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_delivery(status_code: int) -> None:
    assert rules.outcome(Result(NOW, 5, status_code), 1) == rules.DELIVERED


@pytest.mark.parametrize("status_code", [100, 301, 302, 400, 401, 404, 409, 429, 500, 503, None])
def test_anything_else_is_tried_again(status_code: int | None) -> None:
    assert rules.outcome(Result(NOW, 5, status_code), 1) == rules.RETRIED


def test_gone_is_neither() -> None:
    assert rules.outcome(Result(NOW, 5, 410), 1) == rules.GONE


def test_it_is_given_up_when_no_delay_is_left() -> None:
    last = len(rules.DELAYS)
    assert [rules.outcome(REFUSED, attempts) for attempts in (last, last + 1)] == [rules.RETRIED, rules.FAILED]


def test_the_delays_grow_and_last_24_hours() -> None:
    assert all(shorter <= longer for shorter, longer in pairwise(rules.DELAYS))
    assert timedelta(hours=23.5) < timedelta(seconds=sum(rules.DELAYS)) <= timedelta(hours=24)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 27.0), (0.5, 30.0), (1.0, 33.0)])
def test_a_delay_is_jittered_by_a_tenth(chance: float, seconds: float) -> None:
    assert rules.delay(2, chance) == timedelta(seconds=seconds)


def test_after_one_failure_an_endpoint_has_one_request_at_a_time() -> None:
    assert Breaker().places(NOW, 8) == 8
    assert failed(1).places(NOW, 8) == 1
    assert failed(rules.MOST_FAILURES - 1).places(NOW, 8) == 1


def test_it_rests_after_the_last_of_them_and_then_has_one_probe() -> None:
    breaker = failed(rules.MOST_FAILURES)
    assert breaker.rests_until == NOW + timedelta(seconds=rules.FIRST_REST)
    assert breaker.places(NOW, 8) == 0
    assert breaker.places(breaker.rests_until, 8) == 1


def test_each_failed_probe_doubles_the_rest_up_to_a_limit() -> None:
    rests = []
    breaker = failed(rules.MOST_FAILURES)
    for _ in range(7):
        at = breaker.rests_until
        assert at is not None
        breaker = breaker.after(REFUSED, at)
        assert breaker.rests_until is not None
        rests.append((breaker.rests_until - at).total_seconds())
    assert rests == [20, 40, 80, 160, 300, 300, 300]


def test_what_was_under_way_when_it_began_to_rest_does_not_lengthen_the_rest() -> None:
    breaker = failed(rules.MOST_FAILURES)
    assert breaker.after(REFUSED, NOW) == breaker


def test_one_success_ends_it() -> None:
    assert failed(20).after(TAKEN, NOW) == Breaker()


@pytest.mark.parametrize(("asked", "given"), [(120.0, 120.0), (1e9, rules.LONGEST_RETRY_AFTER), (None, None)])
def test_an_endpoint_may_ask_for_a_rest_within_bounds(asked: float | None, given: float | None) -> None:
    breaker = Breaker().after(Result(NOW, 5, 429, retry_after=asked), NOW)
    assert breaker.rests_until == (NOW + timedelta(seconds=given) if given else None)


def test_asking_for_less_than_its_rest_does_not_shorten_it() -> None:
    breaker = failed(rules.MOST_FAILURES - 1).after(Result(NOW, 5, 429, retry_after=1), NOW)
    assert breaker.rests_until == NOW + timedelta(seconds=rules.FIRST_REST)


def test_a_rest_never_ends_beyond_all_reckoning() -> None:
    assert failed(2000).rests_until is not None


def test_an_attempt_for_which_nobody_looked_the_host_up_is_no_failure_of_the_endpoint() -> None:
    breaker = failed(rules.MOST_FAILURES - 1)
    assert breaker.after(Result(NOW, 5, error=rules.RESOLVER_BUSY), NOW) == breaker
