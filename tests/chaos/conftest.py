"""A whole platform with two replicas of each service, and the departments' own programs, which listen all the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pika
import pytest

from contracts import topology
from deploy.local.platform import Platform
from services.identity.demo import DEPARTMENTS
from tests.ledger import Ledger
from tests.people import People
from tests.processes import running, wait_until


@pytest.fixture(scope="package")
def heard(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Path]]:
    """What the departments' programs print, over every fault, by queue. They alone read these queues meanwhile."""
    folder = tmp_path_factory.mktemp("departments")
    files = {topology.subscription_queue(department, "cases").name: folder / department for department in DEPARTMENTS}
    with ExitStack() as stack:
        for department in DEPARTMENTS:
            stack.enter_context(listening(platform, department, folder / department))
        for queue in files:
            wait_until(f"a program reads {queue}", lambda queue=queue: readers(platform, queue) == 1)
        yield files


@contextmanager
def listening(platform: Platform, department: str, output: Path) -> Iterator[None]:
    """The department's own program appends the events that it hears to the file."""
    uri = platform.environment[f"ONEHALL_DEPT_{department.upper().replace('-', '_')}_AMQP_URI"]
    command = ["departments", "--department", department, "--dedupe", f"{output}.sqlite"]
    with output.open("ab") as lines, running(command, {"ONEHALL_AMQP_URI": uri}, output=lines):
        yield


@pytest.fixture(scope="package")
def ledger(platform: Platform, heard: Mapping[str, Path]) -> Iterator[Ledger]:
    ledger = Ledger(platform, heard)
    yield ledger
    ledger.require_nothing_in_hand()


@pytest.fixture
def people(people: People) -> People:
    """Signed in for longer than the test takes."""
    people.renew()
    return people


def readers(platform: Platform, queue: str) -> int:
    connection = pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))
    try:
        return int(connection.channel().queue_declare(queue, passive=True).method.consumer_count)
    finally:
        connection.close()
