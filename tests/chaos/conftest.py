"""A whole platform with two replicas of each service, and its outside subscribers, which listen all the time."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from contracts import topology
from deploy.local.platform import Platform
from services.identity.demo import DEPARTMENTS
from tests.chaos.subscribers import Heard, hooked, listening
from tests.endpoints import listening as endpoint_of
from tests.ledger import Ledger
from tests.people import People

HERE = Path(__file__).parent

WEBHOOK = ("civil-affairs", "chaos")


@pytest.fixture(scope="package")
def heard(
    platform: Platform, webhook_ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Heard]]:
    """What subscribers outside hear, over every fault, by queue. Nobody else reads these queues meanwhile."""
    folder = tmp_path_factory.mktemp("departments")
    with ExitStack() as stack:
        heard = {
            topology.subscription_queue(department, "cases").name: stack.enter_context(
                listening(platform, department, folder)
            )
            for department in DEPARTMENTS
        }
        endpoint = stack.enter_context(endpoint_of(webhook_ca))
        hook = stack.enter_context(hooked(platform, *WEBHOOK, endpoint))
        yield heard | {topology.subscription_queue(*WEBHOOK).name: hook}


@pytest.fixture(scope="package")
def ledger(platform: Platform, heard: Mapping[str, Heard]) -> Iterator[Ledger]:
    ledger = Ledger(platform, heard)
    yield ledger
    ledger.require_nothing_in_hand()


@pytest.fixture
def people(people: People) -> Iterator[People]:
    """Signed in for longer than the test takes."""
    people.renew()
    yield people
    gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The HTTP client leaves sockets of a killed gateway to the collector, which comes by after each test."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
