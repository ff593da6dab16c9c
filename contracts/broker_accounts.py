"""Who may do what at the broker: one account a process, each with the least that it needs.

What RabbitMQ asks for (its "access control" guide): `configure` to declare or delete; `write` to publish to an exchange
and to bind a queue; `read` to consume, and to bind from an exchange. On a topic exchange the routing key counts too.
Nobody may write to the default exchange, through which any queue can be reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from contracts import topology

RPC_EXCHANGE = "nameko-rpc"
REPLY_PREFIX = "reply."
"""Routing keys of answers begin with it, so that a service may publish those and cannot call another."""

REPLY_QUEUE_PREFIX = "rpc.reply-gateway-"
NOTHING = "^$"


@dataclass(frozen=True, slots=True)
class TopicPermission:
    """Regular expressions for the routing keys of one topic exchange. Without one, every key is allowed."""

    exchange: str
    write: str
    read: str


@dataclass(frozen=True, slots=True)
class Account:
    """`configure`, `write` and `read` are regular expressions for names of queues and exchanges.

    `tags` open the management plugin.
    """

    name: str
    configure: str = NOTHING
    write: str = NOTHING
    read: str = NOTHING
    topics: tuple[TopicPermission, ...] = ()
    tags: tuple[str, ...] = ()


def rpc_queue(service: str) -> str:
    return f"rpc-{service}"


def accounts() -> tuple[Account, ...]:
    """Of every process, by its name in the topology, and of the operators' command line."""
    relays = [relay(source) for source in topology.publishers()]
    services = [service(name) for name in topology.SERVICES]
    return (*relays, *services, webhooks(), gateway(), operator())


def relay(source: str) -> Account:
    """Makes the topology of its source and publishes to it. `management` lets it count queues and bindings."""
    queues = [re.escape(queue.name) for queue in topology.service_queues(source)]
    if source == topology.SUBSCRIBABLE:
        queues.append(re.escape(topology.SUBSCRIPTION_PREFIX) + ".*")
    exchange = topology.exchange(source)
    everything = f"^({re.escape(exchange)}|({'|'.join(queues)})(\\..*)?)$"
    topics = (TopicPermission(exchange, ".*", ".*"),)
    return Account(f"relay-{source}", everything, everything, everything, topics, tags=("management",))


def service(name: str) -> Account:
    """Answers calls, handles its events, puts them back into its own queues. It declares nothing."""
    queues = [topology.service_queue(name, source) for source in topology.SUBSCRIPTIONS.get(name, ())]
    return Account(
        name,
        write=_any([RPC_EXCHANGE, *(queue.back for queue in queues)]),
        read=_any([rpc_queue(name), *(queue.name for queue in queues)]),
        topics=(TopicPermission(RPC_EXCHANGE, f"^{re.escape(REPLY_PREFIX)}", NOTHING),),
        tags=WARDEN_TAGS if name == WARDEN else (),
    )


WARDEN = "identity"
"""Who gives the broker's tokens, and so also ends connections."""

WARDEN_TAGS = ("administrator",)
"""RabbitMQ lets nobody else close another's connection. Whoever signs the tokens could give itself this tag anyway."""


def webhooks() -> Account:
    """Reads the queues of subscriptions, not their dead letters."""
    return Account(
        f"webhooks-{topology.SUBSCRIBABLE}", read=rf"^{re.escape(topology.SUBSCRIPTION_PREFIX)}[^.]+\.[^.]+$"
    )


def gateway() -> Account:
    """Calls every service and hears its own answers; the queues of both are its to declare."""
    services = "|".join(topology.SERVICES)
    replies = re.escape(REPLY_QUEUE_PREFIX) + ".*"
    declares = f"^({RPC_EXCHANGE}|rpc-({services})|{replies})$"
    reply_keys = re.escape(REPLY_PREFIX) + ".+"
    topics = (TopicPermission(RPC_EXCHANGE, rf"^({services})\.\w+$", rf"^({reply_keys}|({services})\.\*)$"),)
    return Account("gateway", declares, declares, f"^({RPC_EXCHANGE}|{replies})$", topics)


def operator() -> Account:
    """`onehall events`: looks at dead letters, and gives them back to the queue that they came from."""
    return Account("operator", write=r"\.back$", read=r"\.dead$")


def _any(names: Iterable[str]) -> str:
    return f"^({'|'.join(map(re.escape, names))})$"


NAMES = frozenset(account.name for account in accounts())
