"""Order per case through the broker: two replicas, retries, dead letters, and an operator who looks and decides."""

import json
import os
import random
import subprocess
import sys
import uuid
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pika
import pytest
from sqlalchemy import text

from chassis import broker
from contracts import topology
from contracts.envelope import Envelope
from contracts.events import CaseClosed
from tests.integration.test_bus import QUEUE
from tests.processes import kill, wait_until

LENGTH, BAD = 4, 2
"""Each case has four events; of some, the second cannot be handled for now."""


@dataclass
class Replicas:
    """Two processes of `rating`; while `broken` is there, they cannot handle some events."""

    ports: list[int]
    logs: list[Path]
    broken: Path

    def parked(self) -> float:
        """As the metric says; the larger of two looks, which are seconds apart."""
        pages = [httpx2.get(f"http://127.0.0.1:{port}/metrics").text for port in self.ports]
        lines = [line for page in pages for line in page.splitlines() if line.startswith("onehall_inbox_parked{")]
        return max((float(line.split()[-1]) for line in lines), default=0)

    def logged(self) -> list[dict[str, object]]:
        lines = [line for log in self.logs for line in log.read_text().splitlines()]
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture
def replicas(servers, rating_database, tmp_path, channel):
    with rating_database.transaction() as session:
        session.execute(text("CREATE TABLE an_effect (id bigserial PRIMARY KEY, subject text, sequence integer)"))
    broken = tmp_path / "broken"
    ports = [servers.ports["rating"], servers.ports["notify"]]
    logs = [tmp_path / f"{port}.log" for port in ports]
    with ExitStack() as stack:
        for port, log in zip(ports, logs, strict=True):
            environment = os.environ | servers.environment
            environment |= {"ONEHALL_HTTP_PORT": str(port), "ONEHALL_TEST_BROKEN": str(broken)}
            command = [sys.executable, "-m", "tests.integration.failing_rating"]
            output = stack.enter_context(log.open("wb"))
            stack.callback(kill, subprocess.Popen(command, env=environment, stderr=output))
        wait_until("both consume", lambda: channel.queue_declare(QUEUE.name, passive=True).method.consumer_count == 2)
        yield Replicas(ports, logs, broken)
    with rating_database.transaction() as session:
        session.execute(text("DROP TABLE an_effect"))


@pytest.fixture
def channel(amqp_uri):
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_uri))) as connection:
        channel = connection.channel()
        broker.declare(channel, [QUEUE])
        for name in QUEUE.parts:
            channel.queue_purge(name)
        yield channel


@pytest.fixture
def effects(rating_database):
    def effects(subject):
        with rating_database.transaction() as session:
            statement = text("SELECT sequence FROM an_effect WHERE subject = :subject ORDER BY id")
            return list(session.execute(statement, {"subject": subject}).scalars())

    return effects


@pytest.fixture
def onehall(servers):
    def run(*arguments):
        command = [sys.executable, "-m", "cli", "events", *arguments]
        done = subprocess.run(command, env=os.environ | servers.environment, capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    return run


def event(subject, sequence, trace_id):
    closed = CaseClosed(subject, "residence-permit", "civil-affairs", "511602", "confirmation", "somebody", "approved")
    traceparent = f"00-{trace_id}-00f067aa0ba902b7-01"
    return Envelope(str(uuid.uuid4()), sequence, datetime.now(UTC), "web", "officer", closed, traceparent)


def test_a_dead_letter_holds_its_case_up_in_every_replica_until_somebody_decides(replicas, channel, effects, onehall):
    trace_id = uuid.uuid4().hex
    good = [f"told-good-{uuid.uuid4().hex}" for _ in range(4)]
    redriven, discarded = (f"told-bad-{uuid.uuid4().hex}" for _ in range(2))
    replicas.broken.touch()
    events = [event(s, n, trace_id) for s in (*good, redriven, discarded) for n in range(1, LENGTH + 1)]
    doubles = [envelope for envelope in events if envelope.sequence != BAD]
    everything = [*events, *doubles]
    random.shuffle(everything)
    for envelope in everything:
        channel.basic_publish(topology.exchange("cases"), envelope.data.routing_key, envelope.to_json().encode("utf-8"))

    for subject in good:
        wait_until("a good case is done", lambda subject=subject: effects(subject) == [1, 2, 3, 4])
    wait_until("two dead letters", lambda: channel.queue_declare(QUEUE.dead, passive=True).method.message_count == 2)
    assert effects(redriven) == effects(discarded) == [1]

    # seen by command and metric
    assert {(line[3], line[4]) for line in onehall("list-dead", "--subscriber", "rating")} == {
        (redriven, "2"),
        (discarded, "2"),
    }
    parked = {(line[2], line[3]) for line in onehall("list-parked")}
    assert {(subject, sequence) for subject in (redriven, discarded) for sequence in ("3", "4")} <= parked
    wait_until("the metric tells", lambda: replicas.parked() >= 4)
    # and each line about a failure names the trace in which it happened
    failures = [line for line in replicas.logged() if trace_id in str(line["traceparent"])]
    assert {line["process"] for line in failures} == {"rating"}

    replicas.broken.unlink()
    onehall("redrive", "--subscriber", "rating", "--case", redriven)
    wait_until("its case goes on in order", lambda: effects(redriven) == [1, 2, 3, 4])
    assert effects(discarded) == [1]
    onehall("discard", "--subscriber", "rating", "--case", discarded)
    wait_until("its case goes on without it", lambda: effects(discarded) == [1, 3, 4])
    assert onehall("list-dead", "--subscriber", "rating") == []
