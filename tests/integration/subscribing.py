"""A department's side in tests: its queue, a line that can be cut, its handler, its command."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pika

from chassis import broker
from contracts.envelope import REPLAY_HEADER, Envelope
from contracts.events import CaseSubmitted
from contracts.topology import subscription_queue
from departments import Subscriber

WITHIN_SECONDS = 30
HEARTBEAT_FRAME = b"\x08\x00\x00\x00\x00\x00\x00\xce"


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
        broker.declare_unbound(self._channel, self.declared)

    def put(self, *messages: Envelope | bytes, replay: str | None = None) -> None:
        headers = None if replay is None else {REPLAY_HEADER: replay}
        for message in messages:
            body = message if isinstance(message, bytes) else message.to_json().encode()
            self._channel.basic_publish("", self.name, body, pika.BasicProperties(headers=headers))

    def count(self) -> int:
        return int(self._channel.queue_declare(self.name, passive=True).method.message_count)

    def readers(self) -> int:
        """1, however many stand by."""
        return int(self._channel.queue_declare(self.name, passive=True).method.consumer_count)

    def dead(self) -> list[bytes]:
        bodies = []
        while True:
            _, _, body = self._channel.basic_get(self.declared.dead, auto_ack=True)
            if body is None:
                return bodies
            bodies.append(body)

    def close(self) -> None:
        for name in self.declared.parts:
            self._channel.queue_delete(name)
        self._channel.exchange_delete(self.declared.back)
        self._connection.close()


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


class Command:
    """`onehall-subscribe` as a process."""

    def __init__(
        self,
        amqp_uri: str,
        *arguments: str,
        program: Sequence[str] = (sys.executable, "-m", "departments"),
        **environment: str,
    ) -> None:
        self.process = subprocess.Popen(
            [*program, *arguments],
            env=os.environ | {"ONEHALL_AMQP_URI": amqp_uri} | environment,
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
