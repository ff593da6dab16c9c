"""One part over the real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from chassis.database import Database
from deploy.local.platform import Platform
from tests.endpoints import Endpoint, listening
from tests.integration import identity_driver
from tests.integration.identity_driver import Driver
from tests.integration.subscribing import Proxy, Queue
from tests.webhooks import Hooks


def database_of(service: str) -> object:
    @pytest.fixture(scope="session", name=f"{service}_database")
    def database(servers: Platform) -> Iterator[Database]:
        database = Database(servers.environment[f"ONEHALL_{service.upper()}_DATABASE_URL"])
        yield database
        database.dispose()

    return database


identity_database = database_of("identity")
cases_database = database_of("cases")
notify_database = database_of("notify")
rating_database = database_of("rating")


@pytest.fixture(scope="module")
def seeded(identity_database: Database) -> Database:
    """Identity's, with the demo's accounts and clients."""
    identity_driver.seed(identity_database)
    return identity_database


@pytest.fixture
def driver(seeded: Database) -> Driver:
    """A browser where nobody is signed in, its clients and the clock."""
    return Driver(seeded)


@pytest.fixture
def signed_in(driver: Driver) -> Driver:
    """The same with somebody signed in: `account`."""
    driver.account = driver.register()
    driver.sign_in(driver.account)
    return driver


@pytest.fixture(scope="session")
def identity_database_url(servers: Platform) -> str:
    return servers.environment["ONEHALL_IDENTITY_DATABASE_URL"]


@pytest.fixture(scope="session")
def amqp_uri(servers: Platform) -> str:
    return servers.environment["AMQP_URI"]


@pytest.fixture
def queue(amqp_uri: str) -> Iterator[Queue]:
    """A department's queue, as the platform declares it."""
    queue = Queue(amqp_uri)
    yield queue
    queue.close()


@pytest.fixture
def proxy(amqp_uri: str) -> Iterator[Proxy]:
    proxy = Proxy(amqp_uri)
    yield proxy
    proxy.close()


@pytest.fixture(scope="session")
def webhook_settings(servers: Platform, webhook_ca_file: Path) -> dict[str, str]:
    """A dispatcher's: it trusts the tests' CA, and waits a second for an answer."""
    own = {"ONEHALL_WEBHOOK_CA_FILE": str(webhook_ca_file), "ONEHALL_WEBHOOK_TIMEOUT_SECONDS": "1"}
    return servers.environment | own


@pytest.fixture(scope="module")
def hooks(servers: Platform) -> Iterator[Hooks]:
    hooks = Hooks(servers.environment)
    yield hooks
    hooks.close()


@pytest.fixture
def endpoint(webhook_ca: trustme.CA) -> Iterator[Endpoint]:
    with listening(webhook_ca) as endpoint:
        yield endpoint
