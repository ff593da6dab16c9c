"""Who subscribes from outside: departments' own programs, and an endpoint that takes webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika

from chassis import broker
from cli.demo import SECRET
from contracts import topology
from deploy.local.platform import Platform
from tests.endpoints import Endpoint
from tests.people import department as client_of
from tests.processes import running, wait_until

Heard = Callable[[], list[dict[str, Any]]]
"""The events that somebody has heard so far, in order; what came again by its id is there once for a webhook."""


@contextmanager
def listening(platform: Platform, department: str, folder: Path, subscription: str = "cases") -> Iterator[Heard]:
    """The department's own program, signed in with the platform's tokens, reads a subscription.

    It prints each event once, over all its lives: a second one would be a double.
    """
    queue = topology.subscription_queue(department, subscription).name
    output = folder / queue
    address = platform.environment["AMQP_URI"].rpartition("@")[2]
    command = ["departments", "--department", department, "--subscription", subscription]
    command += ["--amqp-uri", f"amqp://{address}"]
    command += ["--issuer", platform.environment["ONEHALL_BASE_URL"], "--client-id", f"dept-{department}"]
    command += ["--dedupe", f"{output}.sqlite"]
    with output.open("ab") as lines, running(command, {"ONEHALL_CLIENT_SECRET": SECRET}, output=lines):
        wait_until(f"a program reads {queue}", lambda: readers(platform, queue) == 1)
        yield lambda: _printed(output)


def _printed(output: Path) -> list[dict[str, Any]]:
    # the last line may be half written
    return [json.loads(line) for line in output.read_text().splitlines(keepends=True) if line.endswith("\n")]


def readers(platform: Platform, queue: str) -> int:
    """How many read it; nobody reads a queue that the relay has not made yet."""
    connection = pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))
    try:
        if not broker.exists(connection, queue):
            return 0
        return int(connection.channel().queue_declare(queue, passive=True).method.consumer_count)
    finally:
        connection.close()


@contextmanager
def hooked(platform: Platform, department: str, name: str, endpoint: Endpoint) -> Iterator[Heard]:
    """The department's webhook `name`, which stands as long as the block."""
    with client_of(platform, department) as client:
        wanted = {"name": name, "delivery": "webhook", "url": endpoint.url}
        client.post("/api/v1/subscriptions", json=wanted).raise_for_status()
        address = f"/api/v1/subscriptions/{name}"
        wait_until(f"{name} is active", lambda: client.get(address).raise_for_status().json()["status"] == "active")
    yield lambda: _posted(endpoint)
    with client_of(platform, department) as client:
        client.delete(address).raise_for_status()


def _posted(endpoint: Endpoint) -> list[dict[str, Any]]:
    """A call to the outside world may come again: then with its id, by which the receiver knows it."""
    first = {received.id: received.body for received in reversed(list(endpoint.received))}
    return [json.loads(first[id_]) for id_ in dict.fromkeys(endpoint.ids)]
