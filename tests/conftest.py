"""What the tests stand on: a real PostgreSQL, RabbitMQ and SMTP server, or a whole platform, each started once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.platform import Platform
from tests.people import People

STATE = Path(os.environ.get("ONEHALL_STATE", "var"))
# far from what a person runs beside the tests
PORT = int(os.environ.get("ONEHALL_TEST_PORT", "23000"))


@pytest.fixture(scope="session")
def servers() -> Iterator[Platform]:
    """Database, broker and mail sink with migrated, empty databases, and none of our processes."""
    platform = Platform(STATE / "test-servers", PORT)
    platform.up_servers()
    platform.migrate()
    yield platform
    platform.down()


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Everything, two replicas of each service."""
    platform = Platform(STATE / "test-platform", PORT + 50, replicas=2)
    platform.up()
    yield platform
    platform.down()


@pytest.fixture(scope="session")
def people(platform: Platform) -> People:
    return People(platform)
