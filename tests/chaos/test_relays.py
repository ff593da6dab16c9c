"""Relays and the order of events: nothing is skipped, and a leader that was given up does no harm when it wakes."""

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chaos.faults import beside, in_place_of, stopped
from tests.processes import Failpoint, kill, running, wait_until


@pytest.mark.long
def test_transactions_that_commit_in_reverse_order_of_their_ids_are_both_published(platform, people, ledger, tmp_path):
    failpoint = Failpoint("outbox.added", tmp_path)
    module = ["tests.chaos.altered", "cases", "slow-to-commit"]
    people.example("residence-permit")
    people.sign_in("citizen")
    with ThreadPoolExecutor(1) as asking, in_place_of(platform, "cases", module, failpoint) as first:
        early = asking.submit(people.file_until_answered)
        failpoint.wait()
        with running(["services.cases"], beside(platform, "cases")):
            late = people.file_until_answered()
            wait_until("the later id is published", lambda: positions(ledger, late)[0])
        os.kill(first.pid, signal.SIGCONT)
        early = early.result()
    assert ids(ledger, early) < ids(ledger, late)
    ledger.require_one_effect_each({early, late})
    assert positions(ledger, early) > positions(ledger, late)


def ids(ledger, number):
    return [id_ for (id_,) in ledger.query("cases", "SELECT id FROM outbox WHERE subject = %s ORDER BY id", number)]


def positions(ledger, number):
    rows = ledger.query("cases", "SELECT position FROM outbox WHERE subject = %s ORDER BY id", number)
    return [position for (position,) in rows]


def test_a_leader_that_freezes_and_wakes_after_another_took_over_marks_nothing(platform, people, ledger, tmp_path):
    failpoint = Failpoint("relay.confirmed", tmp_path)
    relay = ["chassis.relay", "cases"]
    with in_place_of(platform, "relay-cases", relay, failpoint) as frozen_leader:
        number = people.file_until_answered()
        failpoint.wait()
        # frozen, it would hold the lock as long as its machine answers; the database gives it up, as after a failover
        ledger.query("cases", TERMINATE)
        with running(relay, beside(platform, "relay-cases")) as successor:
            wait_until("another relay has published it", lambda: ledger.unsent("cases") == 0)
            before = positions(ledger, number)
            os.kill(frozen_leader.pid, signal.SIGCONT)
            more = [response.json()["number"] for response in people.file_many(20)]
            wait_until("the rest is published", lambda: ledger.unsent("cases") == 0)
            kill(successor)
        last = people.file_until_answered()
        wait_until("the first leads again", lambda: ledger.unsent("cases") == 0)
        assert positions(ledger, number) == before
    ledger.require_one_effect_each({number, last, *more})


@pytest.mark.long
def test_a_relay_that_comes_to_a_frozen_broker_waits_for_it(platform):
    """Its connection is taken by the machine and answered by nobody."""
    with socket.create_server(("127.0.0.1", 0)) as silent, stopped(platform, "relay-cases"):
        uri = f"amqp://somebody:secret@127.0.0.1:{silent.getsockname()[1]}/%2F"
        with running(["chassis.relay", "cases"], beside(platform, "relay-cases"), AMQP_URI=uri):
            silent.settimeout(60)
            calls = [silent.accept()[0] for _ in range(2)]
            for call in calls:
                call.close()


TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'onehall-relay' AND datname = current_database()
"""
