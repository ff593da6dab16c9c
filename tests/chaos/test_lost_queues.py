"""A queue or a binding is deleted while events flow: found, made again, told by a metric, its subscriber replayed."""

import re
from contextlib import contextmanager

import httpx2
import pika
import pytest

from contracts import topology
from tests.chaos.faults import programs_of
from tests.chaos.load import under_load
from tests.processes import wait_until

FOUND_SECONDS = 10

SERVICE = topology.service_queue("notify", "cases")
DEPARTMENT = topology.subscription_queue("civil-affairs", "cases")


@contextmanager
def broker_channel(platform):
    connection = pika.BlockingConnection(pika.URLParameters(platform.environment["AMQP_URI"]))
    try:
        yield connection.channel()
    finally:
        connection.close()


def restored(platform, queue):
    """What the alert QueueRestored looks at."""
    port = programs_of(platform, "relay-cases")[0].port
    metrics = httpx2.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
    found = re.search(rf'^onehall_queue_restored_total{{queue="{re.escape(queue.name)}"}} (\S+)', metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize("queue", [SERVICE, DEPARTMENT], ids=["service", "department"])
def test_a_lost_queue_is_made_again_and_its_subscriber_gets_what_it_missed(platform, people, ledger, queue):
    before = restored(platform, queue)
    with under_load(people) as load, broker_channel(platform) as channel:
        channel.queue_delete(queue.name)
        wait_until(f"{queue.name} is found missing", lambda: restored(platform, queue) > before, FOUND_SECONDS)
        load.wait_for_more(10)
    ledger.require_one_effect_each(load.cases)


@pytest.mark.long
@pytest.mark.parametrize("queue", [SERVICE, DEPARTMENT], ids=["service", "department"])
def test_a_lost_binding_is_made_again_and_its_subscriber_gets_what_it_missed(platform, people, ledger, queue):
    before = restored(platform, queue)
    with under_load(people) as load, broker_channel(platform) as channel:
        for pattern in bindings(platform, queue):
            channel.queue_unbind(queue.name, topology.exchange(queue.source), pattern)
        wait_until(f"{queue.name} is found unbound", lambda: restored(platform, queue) > before, FOUND_SECONDS)
        load.wait_for_more(10)
    ledger.require_one_effect_each(load.cases)


def bindings(platform, queue):
    """The routing keys that bring events into the queue."""
    address = f"{platform.environment['ONEHALL_BROKER_MANAGEMENT_URL']}/api/queues/%2F/{queue.name}/bindings"
    found = httpx2.get(address).raise_for_status().json()
    return [binding["routing_key"] for binding in found if binding["source"] == topology.exchange(queue.source)]
