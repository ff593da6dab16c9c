"""SIGKILL by process id, at a named point or at random: whatever dies, every committed event has one effect."""

import mailbox
import random
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import httpx2
import pytest

from contracts import topology
from tests.chaos.faults import OURS, await_all, beside, in_place_of, kill_at_random, kill_one, restart_one_by_one
from tests.chaos.load import HONEST, under_load
from tests.processes import Failpoint, kill, running, wait_until


def test_a_service_killed_after_its_commit(platform, people, ledger, tmp_path):
    key = str(uuid.uuid4())
    people.example("residence-permit")
    people.sign_in("citizen")
    failpoint = Failpoint("rpc.done.cases.submit_case", tmp_path)
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


@pytest.mark.long
def test_an_action_whose_service_is_killed_is_done_once_and_its_caller_told_the_truth(
    platform, people, ledger, tmp_path
):
    number = people.file_until_answered()
    people.sign_in("clerk")
    failpoint = Failpoint("rpc.done.cases.act_on_case", tmp_path)
    with in_place_of(platform, "cases", ["services.cases"], failpoint) as cases, ThreadPoolExecutor(1) as asking:
        answer = asking.submit(people.act, "clerk", number, "accept")
        failpoint.wait()
        kill(cases)
        with running(["services.cases"], beside(platform, "cases")):
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


@pytest.mark.parametrize(
    ("service", "type_"),
    [
        ("notify", "case.submitted"),
        ("rating", "case.closed"),
        pytest.param("notify", "case.closed", marks=pytest.mark.long),
        pytest.param("rating", "case.submitted", marks=pytest.mark.long),
    ],
)
def test_a_consumer_killed_between_commit_and_ack(platform, people, ledger, tmp_path, service, type_):
    failpoint = Failpoint(f"committed.{type_}", tmp_path)
    filed = []

    def one_reaches_it() -> bool:
        """The broker hands the queue's events to three replicas in turn."""
        filed.append(people.file_until_answered())
        people.close(filed[-1])
        return failpoint.is_reached

    with running([f"services.{service}"], beside(platform, service), **failpoint.environment) as consumer:
        wait_until("one stands between commit and ack", one_reaches_it)
        kill(consumer)
    ledger.require_one_effect_each(filed)


def test_every_process_of_the_platform_killed_once_under_load(platform, people, ledger):
    with under_load(people) as load:
        for name in OURS:
            kill_one(platform, name, random)
    await_all(platform)
    ledger.require_one_effect_each(load.cases)


@pytest.mark.long
def test_any_process_of_the_platform_killed_at_random_for_a_minute(platform, people, ledger):
    with under_load(people) as load:
        kill_at_random(platform, seconds=60)
    await_all(platform)
    ledger.require_one_effect_each(load.cases)
    ledger.require_nothing_in_hand()


@pytest.mark.parametrize("names", [("notify",), pytest.param(topology.SERVICES, marks=pytest.mark.long)])
def test_services_restarted_one_replica_after_the_other_refuse_nothing(platform, people, ledger, names):
    with under_load(people) as load:
        for name in names:
            restart_one_by_one(platform, name)
    assert set(load.answers) <= HONEST, "a request failed"
    ledger.require_one_effect_each(load.cases)


@pytest.mark.long
def test_registers_are_asked_though_their_asker_is_killed_between_answer_and_mark(platform, people, ledger, tmp_path):
    def answers():
        found = "SELECT number, count(*) FROM case_history WHERE event = 'case.evidence-answered' AND number = ANY(%s)"
        return dict(ledger.query("cases", f"{found} GROUP BY number", filed))

    failpoint = Failpoint("registries.asked", tmp_path)
    with in_place_of(platform, "registries-cases", ["services.cases.registries"], failpoint) as asker:
        wanted = {"item": "birth-registration", "consents": ["birth-certificate"]}
        filed = [people.file(**wanted).json()["number"] for _ in range(6)]
        failpoint.wait()
        kill(asker)
        assert answers() == {}, "what it heard was not written"
    # two minutes later whoever lives takes what it had in hand
    ledger.execute(
        "cases",
        "UPDATE registry_questions SET next_attempt_at = now(), taken_until = NULL"
        " WHERE outcome IS NULL AND number = ANY(%s)",
        filed,
    )
    wait_until("none is lost", lambda: len(answers()) == len(filed), 60)
    outcomes = "SELECT outcome, count(*) FROM registry_questions WHERE number = ANY(%s) GROUP BY outcome"
    assert ledger.query("cases", outcomes, filed) == [("provided", len(filed))]
    assert set(answers().values()) == {1}, "none is answered twice"
    ledger.require_one_effect_each(filed)


@pytest.mark.long
def test_a_mail_sent_and_not_marked_goes_twice_with_one_message_id(platform, people, ledger, tmp_path):
    def sendings():
        return Counter(mail["Message-ID"] for mail in mailbox.Maildir(platform.state.mail, create=False))

    failpoint = Failpoint("notify.sent", tmp_path)
    # its hold on the delivery ends soon after it does
    lease = {"ONEHALL_MAIL_LEASE_SECONDS": "10"}
    with in_place_of(platform, "notify", ["services.notify"], failpoint, **lease) as notify:
        number = people.file_until_answered()
        failpoint.wait()
        sent = sendings()
        kill(notify)
    # which mail it was does not matter: one that waited from before may have been the first
    wait_until(
        "a mail is sent again", lambda: any(sendings()[message_id] > sent[message_id] for message_id in sent), 60
    )
    ledger.require_one_effect_each({number})
