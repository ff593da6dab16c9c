"""A whole platform with two replicas of each service, and a department's own program that listens all the time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.platform import Platform
from tests.ledger import Ledger
from tests.processes import kill


@pytest.fixture(scope="package")
def heard(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What civil-affairs' program prints, over every fault. It alone reads the department's queue meanwhile."""
    folder = tmp_path_factory.mktemp("department")
    uri = platform.environment["ONEHALL_DEPT_CIVIL_AFFAIRS_AMQP_URI"]
    command = [sys.executable, "-m", "departments", "--department", "civil-affairs", "--amqp-uri", uri]
    command += ["--dedupe", str(folder / "dedupe.sqlite")]
    with (folder / "events").open("wb") as output:
        subscriber = subprocess.Popen(command, stdout=output)
    yield folder / "events"
    kill(subscriber)


@pytest.fixture(scope="package")
def ledger(platform: Platform, heard: Path) -> Ledger:
    return Ledger(platform, heard)
