"""One subscriber is 100,000 events behind: nobody else notices, and in the end it has all of them, in order."""

from collections import defaultdict
from contextlib import ExitStack

import pytest

from contracts import filters
from tests.backlog import DEPARTMENT, EVENTS, NAME, QUEUE, add_history, far_behind
from tests.chaos.load import under_load
from tests.chaos.subscribers import listening
from tests.processes import wait_until

READ_SECONDS = 400


@pytest.mark.long
def test_a_subscriber_with_a_long_backlog_delays_nobody_and_loses_nothing(platform, people, ledger, tmp_path):
    add_history(platform)
    with ExitStack() as stack:
        with under_load(people) as load:
            stack.enter_context(far_behind(platform))
            load.wait_for_more(50)
        # everybody else has caught up, while it has read nothing yet
        ledger.require_one_effect_each(load.cases)
        expected = covered(ledger)
        assert len(expected) > EVENTS
        with listening(platform, DEPARTMENT, tmp_path, NAME) as heard:
            wait_until("it has read everything", lambda: ledger.depth(QUEUE) == 0, READ_SECONDS)
            wait_until("it has heard all, once and in order", lambda: by_case(heard()) == expected)


def covered(ledger):
    """The ids of what its subscription covers, in order, by case."""
    ((patterns,),) = ledger.query("cases", "SELECT patterns FROM subscriptions WHERE name = %s", NAME)
    ids = defaultdict(list)
    for subject, event_id, routing_key in ledger.query("cases", EVERYTHING):
        if filters.matches(patterns, routing_key):
            ids[subject].append(event_id)
    return ids


EVERYTHING = "SELECT subject, event_id::text, routing_key FROM outbox ORDER BY position"


def by_case(events):
    ids = defaultdict(list)
    for event in events:
        ids[event["subject"]].append(event["id"])
    return ids
