"""SIGKILL by process id at a named point: whatever dies, every committed event has one effect, in order per case."""

import mailbox
import os
import signal
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread

import httpx2
import pytest

from tests.processes import Failpoint, kill, running, wait_until


@contextmanager
def in_place_of(platform, name, module, failpoint, **more):
    """One process of ours that stops at the failpoint, instead of the platform's; those are back at the end."""
    platform.stop(name)
    port = str(platform.ports[name])
    with running(module, platform.environment, **failpoint.environment, ONEHALL_HTTP_PORT=port, **more) as process:
        yield process
    platform.start(name)


def test_a_service_killed_after_its_commit(platform, people, ledger, tmp_path):
    key = str(uuid.uuid4())
    people.example("residence-permit")
    people.sign_in("citizen")
    failpoint = Failpoint("rpc.done", tmp_path)
    with in_place_of(platform, "cases", ["services.cases"], failpoint) as cases:
        asking = Thread(target=_ignore_refusal, args=(people, key))
        asking.start()
        failpoint.wait()
        kill(cases)
    asking.join()
    filed = people.file(key=key)
    assert filed.status_code == httpx2.codes.CREATED
    assert ledger.query("cases", "SELECT count(*) FROM cases WHERE idempotency_key = %s", key) == [(1,)]
    ledger.require_one_effect_each({filed.json()["number"]})


def _ignore_refusal(people, key):
    assert people.file(key=key).status_code in (httpx2.codes.CREATED, httpx2.codes.SERVICE_UNAVAILABLE)


def test_an_action_whose_service_is_killed_is_done_once_and_its_caller_told_the_truth(
    platform, people, ledger, tmp_path
):
    number = people.file_until_answered()
    people.sign_in("clerk")
    failpoint = Failpoint("rpc.done", tmp_path)
    with in_place_of(platform, "cases", ["services.cases"], failpoint) as cases, ThreadPoolExecutor(1) as asking:
        answer = asking.submit(people.act, "clerk", number, "accept")
        failpoint.wait()
        kill(cases)
        with running(["services.cases"], platform.environment):
            assert answer.result().status_code == httpx2.codes.SERVICE_UNAVAILABLE
    assert [entry["event"] for entry in people.history(number)] == ["case.submitted", "case.accepted"]
    ledger.require_one_effect_each({number})


def test_a_relay_killed_between_confirm_and_mark(platform, people, ledger, tmp_path):
    failpoint = Failpoint("relay.confirmed", tmp_path)
    with in_place_of(platform, "relay-cases", ["chassis.relay", "cases"], failpoint) as relay:
        filed = [response.json()["number"] for response in people.file_many(20)]
        failpoint.wait()
        kill(relay)
    ledger.require_one_effect_each(filed)


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
        with running(module, platform.environment):
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
    """The test above can fail: this is what it guards against."""
    _, ratings = rate_and_kill_the_consumer_before_its_ack(platform, people, ["tests.chaos.without_inbox"], tmp_path)
    assert ratings > 1


@pytest.mark.parametrize("type_", ["case.submitted", "case.closed"])
@pytest.mark.parametrize("service", ["notify", "rating"])
def test_a_consumer_killed_between_commit_and_ack(platform, people, ledger, tmp_path, service, type_):
    failpoint = Failpoint(f"committed.{type_}", tmp_path)
    with in_place_of(platform, service, [f"services.{service}"], failpoint) as consumer:
        number = people.file_until_answered()
        people.close(number)
        failpoint.wait()
        kill(consumer)
    ledger.require_one_effect_each({number})


def test_every_process_of_the_platform_killed_once_under_load(platform, people, ledger):
    people.file_until_answered()
    filed = []
    load = Thread(target=lambda: filed.extend(people.file_until_answered() for _ in range(60)))
    load.start()
    for name in ("notify", "relay-cases", "cases", "rating", "identity", "relay-rating", "gateway"):
        for pid in platform.pids(name)[:1]:
            os.kill(pid, signal.SIGKILL)
    load.join()
    ledger.require_one_effect_each(filed)


def test_a_mail_sent_and_not_marked_goes_twice_with_one_message_id(platform, people, ledger, tmp_path):
    def sent_twice():
        folder = mailbox.Maildir(platform.state.mail, create=False)
        sendings = Counter(mail["Message-ID"] for mail in folder)
        return {message_id for message_id, count in sendings.items() if count == 2}

    before = sent_twice()  # by the kills of other tests
    failpoint = Failpoint("notify.sent", tmp_path)
    # its hold on the delivery ends soon after it does
    lease = {"ONEHALL_MAIL_LEASE_SECONDS": "10"}
    with in_place_of(platform, "notify", ["services.notify"], failpoint, **lease) as notify:
        number = people.file_until_answered()
        failpoint.wait()
        kill(notify)
    # which mail it was does not matter: one that waited from before may have been the first
    wait_until("a mail is sent again", lambda: sent_twice() > before, 60)
    ledger.require_one_effect_each({number})
