"""The topology says what the code does: who publishes, who hears, which processes there are."""

import importlib
import subprocess
import sys

import pytest

from contracts import topology
from contracts.events import EVENTS

# Importing a service class brings in Nameko, which must not meet the other tests' threads: another process looks.
LOOK = """
import importlib, inspect, json, sys
module = importlib.import_module(f"services.{sys.argv[1]}.service")
service = next(c for _, c in inspect.getmembers(module, inspect.isclass) if getattr(c, "name", None) == sys.argv[1])
types = []
for _, method in inspect.getmembers(service, callable):
    for entrypoint in getattr(method, "nameko_entrypoints", ()):
        types += getattr(entrypoint, "types", ())
print(json.dumps(types))
"""


def handled_types(service: str) -> list[str]:
    command = [sys.executable, "-W", "ignore", "-c", LOOK, service]
    return importlib.import_module("json").loads(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("service", topology.SERVICES)
def test_a_service_handles_only_types_of_sources_that_it_hears(service):
    sources = topology.SUBSCRIPTIONS.get(service, ())
    heard = {event.type for source in sources for event in topology.heard_by(service, source)}
    handled = handled_types(service)
    assert set(handled) - {"*"} <= heard
    assert len(handled) == len(set(handled)), "two methods for one type"


def test_a_service_that_hears_a_source_does_something_with_it():
    for service, sources in topology.SUBSCRIPTIONS.items():
        handled = set(handled_types(service))
        for source in sources:
            assert handled & {event.type for event in topology.heard_by(service, source)}, f"{service} ignores {source}"


def test_every_event_reaches_a_subscriber():
    heard = {
        pattern
        for source in topology.publishers()
        for queue in topology.service_queues(source)
        for pattern in queue.patterns
    }
    assert {f"{event.type}.#" for event in EVENTS} <= heard


def test_a_retry_comes_back_to_its_own_queue_only():
    for source in topology.publishers():
        for queue in topology.service_queues(source):
            arguments = queue.retry_arguments(topology.RETRY_DELAYS[0])
            assert arguments["x-dead-letter-exchange"] == queue.back
            assert arguments["x-dead-letter-routing-key"] == queue.name


@pytest.mark.parametrize("neighbour", [1, 2, 10, 80, 100, 1000, 1080])
def test_platforms_on_neighbouring_ports_do_not_meet(neighbour):
    slots = {*range(9), *(process.slot for process in topology.processes())}
    here = {topology.port(8000, slot) for slot in slots}
    there = {topology.port(8000 + neighbour, slot) for slot in slots}
    assert not here & there
