"""Broker and database go away and come back; the platform's processes stay, and nothing is lost."""

import json
import os
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx2
import pika
import pytest

from contracts import topology
from contracts.envelope import CONTENT_TYPE, Envelope
from contracts.events import CaseSubmitted
from tests.processes import wait_until

OURS = [process.name for process in topology.processes()]


def pids(platform):
    return {name: platform.pids(name) for name in OURS}


def test_filings_go_on_while_the_broker_restarts(platform, people, ledger):
    people.file_until_answered()
    with ThreadPoolExecutor(1) as load:
        filing = load.submit(people.file_many, 200)
        platform.restart("broker")
        responses = filing.result()
    assert [response.status_code for response in responses] == [httpx2.codes.CREATED] * 200
    ledger.require_one_effect_each({response.json()["number"] for response in responses})


def test_a_broker_killed_under_load_loses_nothing(platform, people, ledger):
    people.file_until_answered()
    with ThreadPoolExecutor(1) as load:
        filing = load.submit(lambda: [people.file_until_answered() for _ in range(60)])
        os.kill(platform.pids("broker")[0], signal.SIGKILL)
        filed = filing.result()
    platform.start("broker")  # supervisor has begun already; this waits until it answers
    ledger.require_one_effect_each(filed)


def test_with_the_broker_down_filing_answers_and_the_event_follows(platform, people, ledger):
    people.file_until_answered()
    before = pids(platform)
    platform.stop("broker")
    try:
        filed = wait_until("the gateway has noticed", people.file)
        assert filed.status_code == httpx2.codes.CREATED
        number = filed.json()["number"]
        assert people.history(number)[0]["event"] == "case.submitted"
    finally:
        platform.start("broker")
    ledger.require_one_effect_each({number})
    assert pids(platform) == before, "no process ended for want of a broker"


def test_with_the_database_down_the_answer_is_503_and_every_process_lives_on(platform, people, ledger):
    filed = {people.file_until_answered() for _ in range(5)}
    before = pids(platform)
    platform.stop("database")
    try:
        refused = people.file()
        assert refused.status_code == httpx2.codes.SERVICE_UNAVAILABLE
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert "Retry-After" in refused.headers
    finally:
        platform.start("database")
    filed.add(people.file_until_answered())
    ledger.require_one_effect_each(filed)
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
    queues = [topology.service_queue(service, "cases") for service in ("notify", "rating")]
    connection = pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))
    channel = connection.channel()
    channel.basic_publish(
        topology.exchange("cases"),
        "case.submitted.civil-affairs.-.-.-",
        body,
        pika.BasicProperties(content_type=CONTENT_TYPE, delivery_mode=2, message_id=str(uuid.uuid4())),
    )
    number = people.file_until_answered()
    dead = [*queues, topology.subscription_queue("civil-affairs", "cases")]
    for queue in dead:
        wait_until(f"a dead letter of {queue.name}", lambda name=queue.dead: _take(channel, name) == body)
    connection.close()
    ledger.require_one_effect_each({number})


def _take(channel, queue):
    return channel.basic_get(queue, auto_ack=True)[2]
