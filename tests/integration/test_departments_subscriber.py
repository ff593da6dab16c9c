"""The subscriber on a real broker: once, in order, whatever goes away."""

from __future__ import annotations

import json
import signal
import socket
import sys
from typing import Any

import pytest

from contracts.envelope import Envelope
from departments import BrokerUnreachable, InvalidAddress, QueueNotFound, Subscriber
from departments.feed import Feed
from tests.integration.subscribing import WITHIN_SECONDS, Command, Department, Proxy, Queue, event, numbers, running
from tests.processes import wait_until


def test_events_come_in_order_and_leave_the_queue(amqp_uri: str, queue: Queue) -> None:
    queue.put(*(event(number) for number in range(200)))
    department = Department()
    with running(Subscriber(amqp_uri, queue.name), department):
        wait_until("all are handled", lambda: len(department.handled) == 200)
    assert department.handled == numbers(200)
    assert queue.count() == 0


def test_the_handler_gets_the_typed_event(amqp_uri: str, queue: Queue) -> None:
    sent = event(1)
    queue.put(sent)
    received: list[Envelope] = []
    with running(Subscriber(amqp_uri, queue.name), received.append):
        wait_until("it is handled", lambda: bool(received))
    assert received == [sent]


def test_a_duplicate_is_dropped(amqp_uri: str, queue: Queue) -> None:
    twice = event(0)
    queue.put(twice, twice, event(1))
    department = Department()
    with running(Subscriber(amqp_uri, queue.name), department):
        wait_until("what follows the duplicate is handled", lambda: "N-1" in department.handled)
    assert department.handled == ["N-0", "N-1"]
    assert queue.count() == 0


def test_an_event_that_was_asked_for_again_is_no_duplicate_the_first_time(amqp_uri: str, queue: Queue) -> None:
    first = event(0)
    queue.put(first)
    queue.put(first, first, replay="r-1")
    queue.put(first, replay="r-2")
    queue.put(event(1))
    handled: list[tuple[str, str | None]] = []
    subscriber = Subscriber(amqp_uri, queue.name)
    with running(subscriber, lambda envelope: handled.append((envelope.subject, subscriber.replay))):
        wait_until("the last one is handled", lambda: len(handled) == 4)
    assert handled == [("N-0", None), ("N-0", "r-1"), ("N-0", "r-2"), ("N-1", None)]


def test_what_cannot_be_read_is_a_dead_letter(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0), b"rubbish", event(1))
    department = Department()
    with running(Subscriber(amqp_uri, queue.name), department):
        wait_until("both are handled", lambda: len(department.handled) == 2)
    dead: list[bytes] = []
    wait_until("it is a dead letter", lambda: bool(dead.extend(queue.dead()) or dead))
    assert dead == [b"rubbish"]
    assert queue.count() == 0


def test_a_handler_that_fails_gets_the_event_again_before_the_next(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0), event(1))
    department = Department()
    department.failures = {"N-0": 2}
    with running(Subscriber(amqp_uri, queue.name, retry_seconds=(0.01,)), department):
        wait_until("both are handled", lambda: len(department.handled) == 2)
    assert department.attempts == ["N-0", "N-0", "N-0", "N-1"]


def test_after_its_tries_an_event_is_a_dead_letter(amqp_uri: str, queue: Queue) -> None:
    hopeless = event(0)
    queue.put(hopeless, event(1))
    department = Department()
    department.failures = {"N-0": 99}
    with running(Subscriber(amqp_uri, queue.name, tries=3, retry_seconds=(0.01,)), department):
        wait_until("the next one is handled", lambda: department.handled == ["N-1"])
    assert department.attempts == ["N-0"] * 3 + ["N-1"]
    dead: list[bytes] = []
    wait_until("it is a dead letter", lambda: bool(dead.extend(queue.dead()) or dead))
    assert [Envelope.from_json(body) for body in dead] == [hopeless]


def test_stopping_between_two_tries_leaves_the_event_in_the_queue(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0))
    department = Department()
    department.failures = {"N-0": 1}
    with running(Subscriber(amqp_uri, queue.name, retry_seconds=(3600,)), department):
        wait_until("it was tried once", lambda: department.attempts == ["N-0"])
    wait_until("it is in the queue again", lambda: queue.count() == 1)


def test_stopping_in_the_handler_acknowledges_its_event(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0), event(1), event(2))
    subscriber = Subscriber(amqp_uri, queue.name)
    handled: list[str] = []

    def handle(envelope: Envelope) -> None:
        handled.append(envelope.subject)
        if len(handled) == 2:
            subscriber.stop()

    subscriber.run(handle)
    assert handled == ["N-0", "N-1"]
    wait_until("the third is in the queue again", lambda: queue.count() == 1)


def test_a_lost_line_is_made_again_and_nothing_is_lost_or_doubled(queue: Queue, proxy: Proxy) -> None:
    queue.put(*(event(number) for number in range(100)))
    department = Department()

    def handle(envelope: Envelope) -> None:
        department(envelope)
        if envelope.subject in ("N-10", "N-40"):
            # before this event is acknowledged
            proxy.cut()

    with running(Subscriber(proxy.uri, queue.name, prefetch=20), handle):
        wait_until("all are handled", lambda: len(department.handled) >= 100)
    assert department.handled == numbers(100)
    assert proxy.connections == 3
    assert queue.count() == 0


def test_stopping_while_the_broker_is_away(queue: Queue, proxy: Proxy) -> None:
    queue.put(event(0))
    department = Department()
    with running(Subscriber(proxy.uri, queue.name), department):
        wait_until("it is handled", lambda: bool(department.handled))
        proxy.close()
        # and `running` sees the subscriber end


def test_heartbeats_go_on_while_a_handler_takes_long(queue: Queue, proxy: Proxy) -> None:
    queue.put(event(0), event(1))
    department = Department()

    def handle(envelope: Envelope) -> None:
        if envelope.subject == "N-0":
            before = proxy.heartbeats
            # the broker gives up after two that are missing
            wait_until("two heartbeats more than the broker waits for", lambda: proxy.heartbeats > before + 4)
        department(envelope)

    with running(Subscriber(f"{proxy.uri}?heartbeat=2", queue.name), handle):
        wait_until("both are handled", lambda: len(department.handled) == 2)
    assert department.handled == ["N-0", "N-1"]
    assert proxy.connections == 1


def test_a_second_subscriber_stands_by_and_takes_over(amqp_uri: str, queue: Queue) -> None:
    first, second = Department(), Department()
    with running(Subscriber(amqp_uri, queue.name, prefetch=5), first):
        wait_until("the first one reads", lambda: queue.readers() == 1)
        take_over = running(Subscriber(amqp_uri, queue.name, prefetch=5), second)
        take_over.__enter__()
        queue.put(*(event(number) for number in range(100)))
        wait_until("the first one has read them all", lambda: len(first.handled) == 100)
    assert second.attempts == []
    queue.put(event(100))
    wait_until("the second one reads", lambda: second.handled == ["N-100"])
    take_over.__exit__(None, None, None)


def test_what_nobody_foresaw_ends_the_program_and_not_only_its_connection(
    amqp_uri: str, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Feed, "_read", fail)
    with pytest.raises(ZeroDivisionError):
        Subscriber(amqp_uri, queue.name).run(print)


def test_why_reading_cannot_begin(amqp_uri: str) -> None:
    with pytest.raises(QueueNotFound, match="'nothing'"):
        Subscriber(amqp_uri, "nothing").run(print)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(BrokerUnreachable, match=str(port)):
        Subscriber(f"amqp://127.0.0.1:{port}", "nothing").run(print)
    with pytest.raises(InvalidAddress):
        Subscriber("broker", "nothing")


def test_the_command_prints_a_line_an_event(amqp_uri: str, queue: Queue) -> None:
    sent = [event(number) for number in range(3)]
    queue.put(*sent)
    code, output, _ = Command(amqp_uri, "--department", queue.department, "--count", "2").end()
    assert code == 0
    assert output == "".join(f"{envelope.to_json()}\n" for envelope in sent[:2])
    wait_until("the other one is in the queue again", lambda: queue.count() == 1)


def test_the_command_tells_what_was_asked_for_again(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0), replay="r-1")
    _, output, _ = Command(amqp_uri, "--department", queue.department, "--count", "1").end()
    assert json.loads(output)["replay"] == "r-1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_cleanly(amqp_uri: str, queue: Queue, number: int) -> None:
    command = Command(amqp_uri, "--department", queue.department)
    queue.put(event(0))
    assert command.line()["subject"] == "N-0"
    code, output, _ = command.end(number)
    assert (code, output) == (0, "")
    assert queue.count() == 0


def test_a_dedupe_file_remembers_across_runs(amqp_uri: str, queue: Queue, tmp_path: Any) -> None:
    arguments = ("--department", queue.department, "--count", "1", "--dedupe", str(tmp_path / "handled"))
    first, second = event(0), event(1)
    queue.put(first)
    assert Command(amqp_uri, *arguments).end()[0] == 0
    queue.put(first, second)
    code, output, _ = Command(amqp_uri, *arguments).end()
    assert (code, json.loads(output)["id"]) == (0, second.id)


def test_what_a_killed_program_had_not_acknowledged_comes_again(amqp_uri: str, queue: Queue) -> None:
    queue.put(*(event(number) for number in range(5)))
    program = (
        "import sys, threading, departments\n"
        "def handle(envelope): print(envelope.to_json(), flush=True); threading.Event().wait()\n"
        "departments.Subscriber(*sys.argv[1:]).run(handle)"
    )
    killed = Command(amqp_uri, program=(sys.executable, "-c", program, amqp_uri, queue.name))
    assert killed.line()["subject"] == "N-0"
    killed.end(signal.SIGKILL)
    _, output, _ = Command(amqp_uri, "--department", queue.department, "--count", "5").end()
    assert [json.loads(line)["subject"] for line in output.splitlines()] == numbers(5)


def test_what_nobody_read_stays_in_the_queue(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0))
    command = Command(amqp_uri, "--department", queue.department)
    assert command.line()["subject"] == "N-0"
    assert command.process.stdout
    command.process.stdout.close()
    queue.put(event(1), event(2))
    assert command.process.wait(WITHIN_SECONDS) == 1
    wait_until("what was not read is in the queue again", lambda: queue.count() == 2)
    assert command.process.stderr
    command.process.stderr.close()


def test_an_error_of_the_command_is_one_line(amqp_uri: str) -> None:
    code, output, errors = Command(amqp_uri, "--department", "nobody").end()
    assert (code, output) == (1, "")
    assert errors.startswith("onehall-subscribe: queue 'dept.nobody.cases' is not there: ")
    assert errors.count("\n") == 1
