"""What the guards of the bus are for: with them nothing is lost, doubled or out of order; switched off, it shows."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.chaos.altered import POISONED
from tests.chaos.faults import beside, frozen, in_place_of
from tests.processes import Failpoint, kill, running, wait_until

# The inbox: an event that is delivered again has no second effect.


def rate_and_kill_the_consumer_before_its_ack(platform, people, module, folder):
    """`cases` takes a rating over, is killed before it acknowledges, and gets it again: the ratings in the history."""
    number, other = people.file_until_answered(), people.file_until_answered()
    people.close(number)
    people.close(other)
    failpoint = Failpoint("committed.rating.given", folder)
    with in_place_of(platform, "cases", module, failpoint) as cases:
        wait_until("the rating is given", lambda: people.rate(number).is_success)
        failpoint.wait()
        kill(cases)
        with running(module, beside(platform, "cases")):
            # the one behind it in the queue: once it is there, the first has been handled again
            wait_until("another rating is given", lambda: people.rate(other).is_success)
            wait_until("the other rating is taken over", lambda: _ratings(people, other))
            return number, len(_ratings(people, number))


def _ratings(people, number):
    return [entry for entry in people.history(number) if entry["event"] == "case.rated"]


def test_a_rating_whose_consumer_was_killed_before_its_ack_counts_once(platform, people, ledger, tmp_path):
    number, ratings = rate_and_kill_the_consumer_before_its_ack(platform, people, ["services.cases"], tmp_path)
    assert ratings == 1
    ledger.require_one_effect_each({number})


def test_without_the_inbox_it_counts_twice(platform, people, tmp_path):
    module = ["tests.chaos.altered", "cases", "without-inbox"]
    _, ratings = rate_and_kill_the_consumer_before_its_ack(platform, people, module, tmp_path)
    assert ratings > 1


# Parking: what follows an event that cannot be handled waits for it.


@contextmanager
def a_poisoned_acceptance(platform, people, ledger, folder, *changes):
    """A case whose acceptance is a dead letter, closed by now, and one beside it that went through."""
    poison = folder / "poisoned"
    poison.write_text("")
    module = ["tests.chaos.altered", "notify", *changes, "poisoned"]
    with in_place_of(platform, "notify", module, **{POISONED: str(poison)}):
        number, other = people.file_until_answered(), people.file_until_answered()
        poison.write_text(number)
        people.close(number)
        people.close(other)
        wait_until("the poisoned event is a dead letter", lambda: ledger.dead_letters() == 1, 60)
        wait_until("the other case goes on", lambda: "case.approved" in told(ledger, other))
        yield number, other


def redrive():
    """As an operator does, once the handler is repaired."""
    return [sys.executable, "-m", "cli", "events", "redrive", "--subscriber", "notify", "--type", "case.accepted"]


def told(ledger, number):
    """What the citizen was told of a case, in the order in which it was written."""
    rows = ledger.query("notify", "SELECT event FROM deliveries WHERE number = %s ORDER BY created_at", number)
    return [event for (event,) in rows if event.startswith("case.")]


def test_a_poisoned_event_parks_its_case_only_and_a_redrive_brings_all_of_it_in_order(
    platform, people, ledger, tmp_path
):
    with a_poisoned_acceptance(platform, people, ledger, tmp_path) as (number, other):
        wait_until("its successors wait", lambda: _parked(ledger, number) == [3, 4])
        assert told(ledger, number) == ["case.submitted"]
    subprocess.run(redrive(), env=os.environ | platform.environment, check=True)
    ledger.require_one_effect_each({number, other})
    assert told(ledger, number) == ["case.submitted", "case.accepted", "case.approved"]


def _parked(ledger, number):
    statement = "SELECT sequence FROM inbox_parked WHERE subject = %s ORDER BY sequence"
    return [sequence for (sequence,) in ledger.query("notify", statement, number)]


def test_without_parking_a_case_is_told_out_of_order(platform, people, ledger, tmp_path):
    with a_poisoned_acceptance(platform, people, ledger, tmp_path, "without-parking") as (number, _):
        wait_until("its successors are handled", lambda: "case.approved" in told(ledger, number))
    subprocess.run(redrive(), env=os.environ | platform.environment, check=True)
    wait_until("the acceptance is told at last", lambda: "case.accepted" in told(ledger, number))
    in_order = told(ledger, number)
    assert in_order.index("case.approved") < in_order.index("case.accepted")


# Confirms: an event is done with when the broker has it, not when it was sent.


def file_and_kill_the_frozen_broker(platform, people, ledger, module, published):
    """A case whose event was on its way to a broker that never read it; once `published`, the broker is killed.

    When this returns, a case filed later has been handled.
    """
    with in_place_of(platform, "relay-cases", module):
        people.file_until_answered()
        wait_until("it leads and publishes", lambda: ledger.unsent("cases") == 0)
        with frozen(platform.pids("broker")):
            number = people.file_until_answered()
            published()
            os.kill(platform.pids("broker")[0], signal.SIGKILL)
        platform.start("broker")
        later = people.file_until_answered()
        wait_until("what comes later is handled", lambda: not ledger.lost("notify", {later}), 60)
    return number, later


@pytest.mark.long
def test_what_a_broker_had_not_confirmed_when_it_died_is_published_again(platform, people, ledger):
    relay = ["chassis.relay", "cases"]
    cases = file_and_kill_the_frozen_broker(platform, people, ledger, relay, published=lambda: None)
    ledger.require_one_effect_each(cases)


@pytest.mark.long
def test_without_confirms_it_is_lost(platform, people, ledger):
    def published():
        wait_until("the relay is done with it", lambda: ledger.unsent("cases") == 0)

    relay = ["tests.chaos.relay_without_confirms", "cases"]
    number, _ = file_and_kill_the_frozen_broker(platform, people, ledger, relay, published)
    wait_until("all is quiet", ledger.is_quiet)
    assert ledger.lost("notify", {number}) == {number}
