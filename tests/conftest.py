"""What the tests stand on: a real PostgreSQL, RabbitMQ and SMTP server, or a whole platform, each started once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import trustme
from xdist.scheduler import LoadScopeScheduling

from deploy.local.platform import Platform
from tests.people import People
from tests.platforms import fresh

# whether a property holds does not hang on how busy the machine is
hypothesis.settings.register_profile("onehall", deadline=None)
hypothesis.settings.load_profile("onehall")

SHARES = {"integration": "servers", "e2e": "platform", "chaos": "platform"}

STATE = Path(os.environ.get("ONEHALL_STATE", "var"))
# far from what a person runs beside the tests, and another for each checkout that has its own
PORT = int(os.environ.get("ONEHALL_PORT", "8000")) + 7_000


class ByWhatTheyShare(LoadScopeScheduling):  # type: ignore[misc]
    """`make test` runs in two processes: all tests over the servers stay in one, all over the platform in the other."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return SHARES.get(Path(file).parts[1], file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByWhatTheyShare:
    return ByWhatTheyShare(config, log)


@pytest.fixture(scope="session")
def servers() -> Iterator[Platform]:
    """Database, broker and mail sink with migrated, empty databases, and none of our processes."""
    with fresh(STATE / "test-servers", PORT) as platform:
        platform.up_servers()
        platform.migrate()
        yield platform


@pytest.fixture(scope="session")
def webhook_ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def webhook_ca_file(webhook_ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("webhooks") / "ca.pem"
    webhook_ca.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture(scope="session")
def platform(webhook_ca_file: Path) -> Iterator[Platform]:
    """Everything, two replicas of each service; webhooks trust the tests' CA."""
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("ONEHALL_WEBHOOK_CA_FILE", str(webhook_ca_file))
        with fresh(STATE / "test-platform", PORT + 50, replicas=2) as platform:
            settings.undo()  # it has read them
            platform.up()
            yield platform


@pytest.fixture(scope="session")
def people(platform: Platform) -> Iterator[People]:
    people = People(platform)
    yield people
    people.leave()
