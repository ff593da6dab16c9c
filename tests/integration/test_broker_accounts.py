"""Each process' account at a real broker: what it needs is open, everything else is refused by the broker itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx2
import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from chassis import broker
from chassis.broker_definitions import password_name
from contracts import topology
from contracts.broker_accounts import NAMES, REPLY_QUEUE_PREFIX, RPC_EXCHANGE, accounts, rpc_queue
from deploy.local.environment import broker_account, broker_password
from deploy.local.platform import Platform

Act = Callable[[Any], object]
Case = tuple[str, str, Act]
"""An account, what it does in words, and does."""

SUBSCRIPTION = topology.subscription_queue("civil-affairs", "accounts", ("case.*.*.*.*.*",))
NOTIFY_CASES = topology.service_queue("notify", "cases")
RATING_CASES = topology.service_queue("rating", "cases")
ALL = sorted(NAMES)


@contextmanager
def channel_of(servers: Platform, account: str) -> Iterator[Any]:
    uri = broker_account(account, servers.ports, servers.secret, {})["AMQP_URI"]
    with closing(pika.BlockingConnection(pika.URLParameters(uri))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel


@pytest.fixture(scope="module", autouse=True)
def made(servers: Platform, amqp_uri: str) -> Iterator[None]:
    """The topology, by the accounts whose task it is; the subscription and its queue are gone afterwards."""
    for source in topology.publishers():
        with channel_of(servers, f"relay-{source}") as channel:
            broker.declare(channel, topology.service_queues(source))
            if source == topology.SUBSCRIBABLE:
                broker.declare(channel, [SUBSCRIPTION])
    with channel_of(servers, "gateway") as channel:
        channel.exchange_declare(RPC_EXCHANGE, "topic", durable=True)
        for service in topology.SERVICES:
            channel.queue_declare(rpc_queue(service), durable=True)
            channel.queue_bind(rpc_queue(service), RPC_EXCHANGE, f"{service}.*")
    yield
    with channel_of(servers, "relay-cases") as channel:
        for name in SUBSCRIPTION.parts:
            channel.queue_delete(name)
        channel.exchange_delete(SUBSCRIPTION.back)


def publish(exchange: str, routing_key: str) -> Act:
    return lambda channel: channel.basic_publish(exchange, routing_key, b"{}")


def consume(queue: str) -> Act:
    return lambda channel: channel.basic_consume(queue, lambda *_: None)


def bind(queue: str, exchange: str, routing_key: str) -> Act:
    return lambda channel: channel.queue_bind(queue, exchange, routing_key)


def declare(queue: str) -> Act:
    return lambda channel: channel.queue_declare(queue, durable=True)


def delete(queue: str) -> Act:
    return lambda channel: channel.queue_delete(queue)


def declare_exchange(exchange: str, kind: str = "topic") -> Act:
    return lambda channel: channel.exchange_declare(exchange, kind, durable=True)


def refused(servers: Platform, account: str, act: Act) -> bool:
    """By the broker, for want of a permission. That nothing hears what was published is no refusal."""
    with channel_of(servers, account) as channel:
        try:
            act(channel)
        except ChannelClosedByBroker as error:
            return bool(error.reply_code == pika.spec.ACCESS_REFUSED)
        except pika.exceptions.UnroutableError:
            return False
    return False


def but(*names: str) -> list[str]:
    return sorted(NAMES - set(names))


NEEDED: list[Case] = [
    ("gateway", "calls a service", publish(RPC_EXCHANGE, "identity.get_nothing")),
    ("gateway", "has its own reply queue", lambda channel: own_reply_queue(channel)),
    ("notify", "answers", publish(RPC_EXCHANGE, f"reply.{uuid.uuid4()}")),
    ("notify", "takes its calls", consume(rpc_queue("notify"))),
    ("notify", "takes its events", consume(NOTIFY_CASES.name)),
    ("notify", "tries an event again", publish(NOTIFY_CASES.back, NOTIFY_CASES.retry(1))),
    ("notify", "puts an event back", publish(NOTIFY_CASES.back, NOTIFY_CASES.name)),
    ("relay-cases", "publishes", publish("cases.events", "case.submitted.x")),
    ("relay-cases", "sends a queue its history", publish(SUBSCRIPTION.back, SUBSCRIPTION.name)),
    ("relay-cases", "removes a subscription", delete("dept.nobody.nothing")),
    ("webhooks-cases", "reads a subscription", consume(SUBSCRIPTION.name)),
    ("operator", "looks at dead letters", consume(SUBSCRIPTION.dead)),
    ("operator", "gives them back", publish(NOTIFY_CASES.back, NOTIFY_CASES.name)),
]

REFUSED: list[Case] = [
    *[(account, "calls identity", publish(RPC_EXCHANGE, "identity.sign_in")) for account in but("gateway")],
    *[(account, "calls identity behind its exchange", publish("", rpc_queue("identity"))) for account in ALL],
    *[(account, "writes into any queue", publish("", NOTIFY_CASES.name)) for account in ALL],
    *[
        (account, f"publishes an event of {source}", publish(topology.exchange(source), "case.submitted"))
        for source in topology.publishers()
        for account in but(f"relay-{source}")
    ],
    *[
        (account, "reads a department's queue", consume(SUBSCRIPTION.name))
        for account in but("relay-cases", "webhooks-cases")
    ],
    *[(account, "reads a service's events", consume(NOTIFY_CASES.name)) for account in but("relay-cases", "notify")],
    *[(account, "reads a service's calls", consume(rpc_queue("identity"))) for account in but("identity")],
    *[
        (service, what, act)
        for service in topology.SERVICES
        for what, act in [
            ("makes a queue of its own", declare(f"{service}.own")),
            ("makes its queue of calls anew", delete(rpc_queue(service))),
            ("makes an exchange without routing keys of that of RPC", declare_exchange(RPC_EXCHANGE, "fanout")),
            ("hears calls", bind(rpc_queue(service), RPC_EXCHANGE, "#")),
        ]
    ],
    ("notify", "writes into another's queue", publish(RATING_CASES.back, RATING_CASES.name)),
    ("notify", "writes into a department's queue", publish(SUBSCRIPTION.back, SUBSCRIPTION.name)),
    ("notify", "reads its dead letters", consume(NOTIFY_CASES.dead)),
    ("gateway", "hears the calls of others", lambda channel: hear_calls(channel)),
    ("gateway", "makes a queue of events", declare("dept.civil-affairs.mine")),
    ("relay-rating", "removes a subscription", delete(SUBSCRIPTION.name)),
    ("relay-cases", "takes another source's queue", delete("notify.rating")),
    ("webhooks-cases", "reads dead letters", consume(SUBSCRIPTION.dead)),
    ("operator", "reads events", consume(SUBSCRIPTION.name)),
    ("operator", "removes a queue", delete(SUBSCRIPTION.dead)),
]


def own_reply_queue(channel: Any, routing_key: str = "reply.own") -> None:
    name = f"{REPLY_QUEUE_PREFIX}{uuid.uuid4()}"
    channel.queue_declare(name, exclusive=True)
    channel.queue_bind(name, RPC_EXCHANGE, routing_key)


def hear_calls(channel: Any) -> None:
    own_reply_queue(channel, "#")


def names(case: Case) -> str:
    return f"{case[0]} {case[1]}"


@pytest.mark.parametrize("case", NEEDED, ids=names)
def test_an_account_can_do_its_work(case: Case, servers: Platform) -> None:
    account, _, act = case
    assert not refused(servers, account, act)


@pytest.mark.parametrize("case", REFUSED, ids=names)
def test_an_account_can_do_nothing_else(case: Case, servers: Platform) -> None:
    account, _, act = case
    assert refused(servers, account, act)


def test_every_process_that_speaks_to_the_broker_has_an_account() -> None:
    speaking = {process.name for process in topology.processes()} - {"logout-identity", "registries-cases"}
    assert speaking | {"operator"} == {account.name for account in accounts()}


def test_no_account_may_write_to_the_default_exchange() -> None:
    for account in accounts():
        assert not re.search(account.write, "amq.default"), account.name


def test_the_accounts_can_be_given_to_a_running_broker(servers: Platform) -> None:
    passwords = {password_name(name): servers.secret[broker_password(name)] for name in NAMES}
    management = servers.environment["ONEHALL_BROKER_MANAGEMENT_URL"]
    with httpx2.Client(base_url=management) as client:
        client.put("/api/users/operator", json={"password": "another", "tags": ""}).raise_for_status()
        client.delete("/api/vhost-limits/%2F/max-connections").raise_for_status()
    assert broker_definitions("apply", passwords | {"ONEHALL_BROKER_MANAGEMENT_URL": management}).returncode == 0
    assert not refused(servers, "operator", consume(SUBSCRIPTION.dead))
    assert limits(servers) == [{"vhost": "/", "value": {"max-connections": 2_000}}]


def limits(servers: Platform) -> object:
    with httpx2.Client(base_url=servers.environment["ONEHALL_BROKER_MANAGEMENT_URL"]) as client:
        return client.get("/api/vhost-limits/%2F").raise_for_status().json()


def test_a_connection_has_a_limited_number_of_channels(servers: Platform) -> None:
    with channel_of(servers, "operator") as channel:
        assert channel.connection._impl.params.channel_max == 1_024


def test_accounts_without_a_password_or_an_administrator_are_not_made(servers: Platform) -> None:
    passwords = {password_name(name): "password" for name in NAMES}
    missing = broker_definitions("show", passwords | {"ONEHALL_OPERATOR_BROKER_PASSWORD": ""})
    assert missing.stderr == "settings: ONEHALL_OPERATOR_BROKER_PASSWORD: Field required\n"

    relays = broker_account("relay-cases", servers.ports, servers.secret, {})["ONEHALL_BROKER_MANAGEMENT_URL"]
    refused = broker_definitions("apply", passwords | {"ONEHALL_BROKER_MANAGEMENT_URL": relays})
    assert refused.returncode == 1
    assert "an administrator's" in refused.stderr
    assert broker_definitions("apply", passwords | {"ONEHALL_BROKER_MANAGEMENT_URL": "http://127.0.0.1:1"}).returncode


def broker_definitions(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "chassis.broker_definitions", command]
    return subprocess.run(arguments, env=os.environ | environment, capture_output=True, text=True, check=False)
