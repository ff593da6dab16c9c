"""Broker and database go away, freeze and come back; the platform's processes stay, and nothing is lost."""

import json
import os
import signal
import uuid
from contextlib import closing
from datetime import UTC, datetime

import httpx2
import pika
import pytest

from contracts import filters, topology
from contracts.envelope import CONTENT_TYPE, Envelope
from contracts.events import CaseSubmitted
from tests.chaos.faults import frozen, last, pids, readiness, stopped
from tests.chaos.load import HONEST, under_load
from tests.processes import wait_until


@pytest.mark.long
def test_filings_go_on_while_the_broker_restarts(platform, people, ledger):
    before = pids(platform)
    with under_load(people) as load:
        platform.restart("broker")
    assert set(load.answers) <= HONEST, "a request failed"
    ledger.require_one_effect_each(load.cases)
    assert pids(platform) == before, "no process ended for want of a broker"


def test_a_broker_killed_under_load_loses_nothing(platform, people, ledger):
    with under_load(people) as load:
        os.kill(platform.pids("broker")[0], signal.SIGKILL)
        load.wait_for_more(20)
    platform.start("broker")  # supervisor has begun already; this waits until it answers
    ledger.require_one_effect_each(load.cases)


@pytest.mark.parametrize("seconds", [5, pytest.param(30, marks=pytest.mark.long)])
def test_filings_are_answered_while_the_broker_is_frozen(platform, people, ledger, seconds):
    before = pids(platform)
    with under_load(people) as load:
        with frozen(platform.pids("broker")):
            last(seconds)
            load.wait_for_more(10)
        load.wait_for_more(10)
    assert set(load.answers) <= HONEST, "a request failed"
    ledger.require_one_effect_each(load.cases)
    assert pids(platform) == before, "no process ended for want of a broker"


@pytest.mark.long
def test_with_the_broker_down_filing_answers_and_the_event_follows(platform, people, ledger):
    people.file_until_answered()
    before = pids(platform)
    with stopped(platform, "broker"):
        filed = wait_until("the gateway has noticed", people.file)
        assert filed.status_code == httpx2.codes.CREATED
        number = filed.json()["number"]
        assert people.history(number)[0]["event"] == "case.submitted"
    ledger.require_one_effect_each({number})
    assert pids(platform) == before, "no process ended for want of a broker"


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.long)])
def test_with_the_database_down_the_answer_is_503_and_every_process_lives_on(platform, people, ledger, seconds):
    filed = {people.file_until_answered() for _ in range(5)}
    before = pids(platform)
    with under_load(people) as load, stopped(platform, "database"):
        refused = people.file()
        assert refused.status_code == httpx2.codes.SERVICE_UNAVAILABLE
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert "Retry-After" in refused.headers
        for name in topology.SERVICES:
            wait_until(f"{name} says that it cannot work", lambda name=name: readiness(platform, name) == {503})
        last(seconds)
    assert set(load.answers) <= HONEST, "a request failed"
    filed.add(people.file_until_answered())
    # no dead letters either
    ledger.require_one_effect_each(filed | load.cases)
    assert pids(platform) == before
    for name in topology.SERVICES:
        assert readiness(platform, name) == {200}


@pytest.mark.long
def test_a_database_that_restarts_under_load_loses_nothing(platform, people, ledger):
    before = pids(platform)
    with under_load(people) as load:
        platform.restart("database")
        load.wait_for_more(20)
        os.kill(platform.pids("database")[0], signal.SIGKILL)
        wait_until("it is back", lambda: platform.pids("database"))
        platform.start("database")
        load.wait_for_more(20)
    assert set(load.answers) <= HONEST, "a request failed"
    ledger.require_one_effect_each(load.cases)
    assert pids(platform) == before


def almost_an_event(**change):
    """A whole event but for one attribute."""
    data = CaseSubmitted("x", "residence-permit", "civil-affairs", "511602", "confirmation", "somebody")
    envelope = Envelope(str(uuid.uuid4()), 1, datetime.now(UTC), "web", "citizen", data)
    return json.dumps(envelope.to_dict() | change).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"{}",
        almost_an_event(type="case.unheard-of"),
        almost_an_event(traceparent=5),
        almost_an_event(time="2026-01-01T00:00:00"),
    ],
    ids=["bytes", "empty", "type", "trace", "time"],
)
def test_an_unreadable_event_is_a_dead_letter_and_its_neighbours_are_unharmed(platform, people, ledger, body):
    routing_key = "case.submitted.civil-affairs.-.-.-"
    with closing(pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))) as connection:
        channel = connection.channel()
        properties = pika.BasicProperties(content_type=CONTENT_TYPE, delivery_mode=2, message_id=str(uuid.uuid4()))
        channel.basic_publish(topology.exchange("cases"), routing_key, body, properties)
        number = people.file_until_answered()
        hearing = [queue for queue in ledger.queues() if filters.matches(queue.patterns, routing_key)]
        assert len(hearing) == 4, "notify, rating, the department's program and its webhook"
        for queue in hearing:
            wait_until(f"a dead letter of {queue.name}", lambda name=queue.dead: _take(channel, name) == body)
    ledger.require_one_effect_each({number})


def _take(channel, queue):
    return channel.basic_get(queue, auto_ack=True)[2]
