"""A whole platform with two replicas of each service, and a department's own program that listens all the time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest

from contracts import topology
from deploy.local.platform import Platform
from tests.ledger import Ledger
from tests.processes import kill, wait_until


@pytest.fixture(scope="module")
def heard(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What civil-affairs' program prints, over every fault. It alone reads the department's queue meanwhile."""
    folder = tmp_path_factory.mktemp("department")
    uri = platform.environment["ONEHALL_DEPT_CIVIL_AFFAIRS_AMQP_URI"]
    command = [sys.executable, "-m", "departments", "--department", "civil-affairs", "--amqp-uri", uri]
    command += ["--dedupe", str(folder / "dedupe.sqlite")]
    with (folder / "events").open("wb") as output:
        subscriber = subprocess.Popen(command, stdout=output)
    wait_until("the department's program reads", lambda: _readers(platform) == 1)
    yield folder / "events"
    kill(subscriber)


@pytest.fixture(scope="module")
def ledger(platform: Platform, heard: Path) -> Ledger:
    return Ledger(platform, heard)


def _readers(platform: Platform) -> int:
    connection = pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))
    queue = topology.subscription_queue("civil-affairs", "cases").name
    readers = connection.channel().queue_declare(queue, passive=True).method.consumer_count
    connection.close()
    return int(readers)
