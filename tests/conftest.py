"""What the tests stand on: a real PostgreSQL, RabbitMQ and SMTP server, or a whole platform, each started once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.platform import Platform
from tests.people import People

STATE = Path(os.environ.get("ONEHALL_STATE", "var"))
# far from what a person runs beside the tests, and another for each checkout that has its own
PORT = int(os.environ.get("ONEHALL_PORT", "8000")) + 7_000


@contextmanager
def fresh(name: str, port: int, replicas: int = 1) -> Iterator[Platform]:
    """A platform with nothing left of an earlier run, which may have been cut off."""
    platform = Platform(STATE / name, port, replicas)
    platform.down()
    shutil.rmtree(platform.state.folder, ignore_errors=True)
    try:
        yield platform
    finally:
        platform.down()


@pytest.fixture(scope="session")
def servers() -> Iterator[Platform]:
    """Database, broker and mail sink with migrated, empty databases, and none of our processes."""
    with fresh("test-servers", PORT) as platform:
        platform.up_servers()
        platform.migrate()
        yield platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Everything, two replicas of each service."""
    with fresh("test-platform", PORT + 50, replicas=2) as platform:
        platform.up()
        yield platform


@pytest.fixture(scope="session")
def people(platform: Platform) -> Iterator[People]:
    people = People(platform)
    yield people
    people.leave()
