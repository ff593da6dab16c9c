"""The subscriber on a real broker: once, in order, whatever goes away."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pika
import pytest

from contracts.envelope import Envelope
from contracts.events import CaseSubmitted
from contracts.topology import DEAD_ARGUMENTS, subscription_queue
from departments import BrokerUnreachable, InvalidAddress, QueueNotFound, Subscriber

WITHIN_SECONDS = 30
HEARTBEAT_FRAME = b"\x08\x00\x00\x00\x00\x00\x00\xce"


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing came of it in time"
        threading.Event().wait(0.02)


def event(number: int, sequence: int = 1) -> Envelope:
    case = CaseSubmitted(f"N-{number}", "elderly-card", "civil-affairs", "330100", "benefit", "wang")
    return Envelope(str(uuid.uuid4()), sequence, datetime.now(UTC), "web", "citizen", case)


class Queue:
    """A department's queue and its dead letters, as the platform declares them."""

    def __init__(self, amqp_uri: str) -> None:
        self.department = f"test-{uuid.uuid4().hex[:8]}"
        self.declared = subscription_queue(self.department, "cases")
        self.name = self.declared.name
        self._connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._channel.queue_declare(self.declared.dead, durable=True, arguments=DEAD_ARGUMENTS)
        self._channel.queue_declare(self.name, durable=True, arguments=self.declared.arguments)

    def put(self, *messages: Envelope | bytes) -> None:
        for message in messages:
            body = message if isinstance(message, bytes) else message.to_json().encode()
            self._channel.basic_publish("", self.name, body)

    def count(self) -> int:
        return int(self._channel.queue_declare(self.name, passive=True).method.message_count)

    def dead(self) -> list[bytes]:
        bodies = []
        while True:
            _, _, body = self._channel.basic_get(self.declared.dead, auto_ack=True)
            if body is None:
                return bodies
            bodies.append(body)

    def close(self) -> None:
        self._channel.queue_delete(self.name)
        self._channel.queue_delete(self.declared.dead)
        self._connection.close()


@pytest.fixture
def queue(amqp_uri: str) -> Iterator[Queue]:
    queue = Queue(amqp_uri)
    yield queue
    queue.close()


class Proxy:
    """Stands between a subscriber and the broker, counts the subscriber's heartbeats, and can cut the line."""

    def __init__(self, amqp_uri: str) -> None:
        parts = urlsplit(amqp_uri)
        self._broker = (parts.hostname or "", parts.port or 5672)
        self._listener = socket.create_server(("127.0.0.1", 0))
        address = f"{parts.username}:{parts.password}@127.0.0.1:{self._listener.getsockname()[1]}"
        self.uri = parts._replace(netloc=address).geturl()
        self.heartbeats = 0
        self.connections = 0
        self._lines: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def cut(self) -> None:
        while self._lines:
            line = self._lines.pop()
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """May be called twice."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        pairs = []
        while True:
            try:
                subscriber, _ = self._listener.accept()
            except OSError:
                break
            broker = socket.create_connection(self._broker)
            self._lines += [subscriber, broker]
            self.connections += 1
            pair = threading.Thread(target=self._pass_on, args=(subscriber, broker))
            pair.start()
            pairs.append(pair)
        for pair in pairs:
            pair.join()

    def _pass_on(self, subscriber: socket.socket, broker: socket.socket) -> None:
        with subscriber, broker, suppress(OSError):
            while True:
                for side in select.select([subscriber, broker], [], [])[0]:
                    data = side.recv(65_536)
                    if not data:
                        return
                    if side is subscriber:
                        self.heartbeats += data.count(HEARTBEAT_FRAME)
                    (broker if side is subscriber else subscriber).sendall(data)


@pytest.fixture
def proxy(amqp_uri: str) -> Iterator[Proxy]:
    proxy = Proxy(amqp_uri)
    yield proxy
    proxy.close()


@contextmanager
def running(subscriber: Subscriber, handler: Callable[[Envelope], None]) -> Iterator[None]:
    thread = threading.Thread(target=subscriber.run, args=(handler,))
    thread.start()
    try:
        yield
    finally:
        subscriber.stop()
        thread.join(WITHIN_SECONDS)
    assert not thread.is_alive()


class Department:
    """A handler that remembers, and fails as often as it is told to."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self.handled: list[str] = []
        self.failures: dict[str, int] = {}

    def __call__(self, envelope: Envelope) -> None:
        self.attempts.append(envelope.subject)
        if self.failures.get(envelope.subject, 0) > 0:
            self.failures[envelope.subject] -= 1
            raise RuntimeError("not now")
        self.handled.append(envelope.subject)


def numbers(until: int) -> list[str]:
    return [f"N-{number}" for number in range(until)]


def test_events_come_in_order_and_leave_the_queue(amqp_uri: str, queue: Queue) -> None:
    queue.put(*(event(number) for number in range(200)))
    department = Department()
    with running(Subscriber(amqp_uri, queue.name), department):
        wait_until(lambda: len(department.handled) == 200)
    assert department.handled == numbers(200)
    assert queue.count() == 0


def test_the_handler_gets_the_typed_event(amqp_uri: str, queue: Queue) -> None:
    sent = event(1)
    queue.put(sent)
    received: list[Envelope] = []
    with running(Subscriber(amqp_uri, queue.name), received.append):
        wait_until(lambda: bool(received))
    assert received == [sent]


def test_a_duplicate_is_dropped(amqp_uri: str, queue: Queue) -> None:
    twice = event(0)
    queue.put(twice, twice, event(1))
    department = Department()
    with running(Subscriber(amqp_uri, queue.name), department):
        wait_until(lambda: "N-1" in department.handled)
    assert department.handled == ["N-0", "N-1"]
    assert queue.count() == 0


def test_what_cannot_be_read_is_a_dead_letter(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0), b"rubbish", event(1))
    department = Department()
    with running(Subscriber(amqp_uri, queue.name), department):
        wait_until(lambda: len(department.handled) == 2)
    dead: list[bytes] = []
    wait_until(lambda: bool(dead.extend(queue.dead()) or dead))
    assert dead == [b"rubbish"]
    assert queue.count() == 0


def test_a_handler_that_fails_gets_the_event_again_before_the_next(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0), event(1))
    department = Department()
    department.failures = {"N-0": 2}
    with running(Subscriber(amqp_uri, queue.name, retry_seconds=(0.01,)), department):
        wait_until(lambda: len(department.handled) == 2)
    assert department.attempts == ["N-0", "N-0", "N-0", "N-1"]


def test_after_its_tries_an_event_is_a_dead_letter(amqp_uri: str, queue: Queue) -> None:
    hopeless = event(0)
    queue.put(hopeless, event(1))
    department = Department()
    department.failures = {"N-0": 99}
    with running(Subscriber(amqp_uri, queue.name, tries=3, retry_seconds=(0.01,)), department):
        wait_until(lambda: department.handled == ["N-1"])
    assert department.attempts == ["N-0"] * 3 + ["N-1"]
    dead: list[bytes] = []
    wait_until(lambda: bool(dead.extend(queue.dead()) or dead))
    assert [Envelope.from_json(body) for body in dead] == [hopeless]


def test_stopping_between_two_tries_leaves_the_event_in_the_queue(amqp_uri: str, queue: Queue) -> None:
    queue.put(event(0))
    department = Department()
    department.failures = {"N-0": 1}
    with running(Subscriber(amqp_uri, queue.name, retry_seconds=(3600,)), department):
        wait_until(lambda: department.attempts == ["N-0"])
    wait_until(lambda: queue.count() == 1)


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
    wait_until(lambda: queue.count() == 1)


def test_a_lost_line_is_made_again_and_nothing_is_lost_or_doubled(queue: Queue, proxy: Proxy) -> None:
    queue.put(*(event(number) for number in range(100)))
    department = Department()

    def handle(envelope: Envelope) -> None:
        department(envelope)
        if envelope.subject in ("N-10", "N-40"):
            # before this event is acknowledged
            proxy.cut()

    with running(Subscriber(proxy.uri, queue.name, prefetch=20), handle):
        wait_until(lambda: len(department.handled) >= 100)
    assert department.handled == numbers(100)
    assert proxy.connections == 3
    assert queue.count() == 0


def test_stopping_while_the_broker_is_away(queue: Queue, proxy: Proxy) -> None:
    queue.put(event(0))
    department = Department()
    with running(Subscriber(proxy.uri, queue.name), department):
        wait_until(lambda: bool(department.handled))
        proxy.close()
        # and `running` sees the subscriber end


def test_heartbeats_go_on_while_a_handler_takes_long(queue: Queue, proxy: Proxy) -> None:
    queue.put(event(0), event(1))
    department = Department()

    def handle(envelope: Envelope) -> None:
        if envelope.subject == "N-0":
            before = proxy.heartbeats
            # the broker gives up after two that are missing
            wait_until(lambda: proxy.heartbeats > before + 4)
        department(envelope)

    with running(Subscriber(f"{proxy.uri}?heartbeat=2", queue.name), handle):
        wait_until(lambda: len(department.handled) == 2)
    assert department.handled == ["N-0", "N-1"]
    assert proxy.connections == 1


def test_a_second_subscriber_stands_by_and_takes_over(amqp_uri: str, queue: Queue) -> None:
    first, second = Department(), Department()
    with running(Subscriber(amqp_uri, queue.name), first):
        queue.put(event(0))
        wait_until(lambda: first.handled == ["N-0"])
        take_over = running(Subscriber(amqp_uri, queue.name), second)
        take_over.__enter__()
        queue.put(event(1))
        wait_until(lambda: first.handled == ["N-0", "N-1"])
    queue.put(event(2))
    wait_until(lambda: second.handled == ["N-2"])
    take_over.__exit__(None, None, None)


def test_why_reading_cannot_begin(amqp_uri: str) -> None:
    with pytest.raises(QueueNotFound, match="'nothing'"):
        Subscriber(amqp_uri, "nothing").run(print)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(BrokerUnreachable, match=str(port)):
        Subscriber(f"amqp://127.0.0.1:{port}", "nothing").run(print)
    with pytest.raises(InvalidAddress):
        Subscriber("broker", "nothing")


class Command:
    """`onehall-subscribe` as a process."""

    def __init__(
        self, amqp_uri: str, *arguments: str, program: Sequence[str] = (sys.executable, "-m", "departments")
    ) -> None:
        self.process = subprocess.Popen(
            [*program, *arguments],
            env=os.environ | {"ONEHALL_AMQP_URI": amqp_uri},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> dict[str, Any]:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())  # type: ignore[no-any-return]

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        if number is not None:
            self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=WITHIN_SECONDS)
        return self.process.returncode, output, errors


def test_the_command_prints_a_line_an_event(amqp_uri: str, queue: Queue) -> None:
    sent = [event(number) for number in range(3)]
    queue.put(*sent)
    code, output, _ = Command(amqp_uri, "--department", queue.department, "--count", "2").end()
    assert code == 0
    assert output == "".join(f"{envelope.to_json()}\n" for envelope in sent[:2])
    wait_until(lambda: queue.count() == 1)


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
    wait_until(lambda: queue.count() == 2)
    assert command.process.stderr
    command.process.stderr.close()


def test_an_error_of_the_command_is_one_line(amqp_uri: str) -> None:
    code, output, errors = Command(amqp_uri, "--department", "nobody").end()
    assert (code, output) == (1, "")
    assert errors.startswith("onehall-subscribe: queue 'dept.nobody.cases' is not there: ")
    assert errors.count("\n") == 1
