"""Who publishes, who subscribes, and which processes there are.

The one place that knows it: the relays declare the broker's part, supervisor's, Compose's, Kubernetes' and
Prometheus' files are made from it or checked against it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contracts.events import EVENTS, Event

SERVICES = ("identity", "cases", "notify", "rating")

SUBSCRIPTIONS: dict[str, tuple[str, ...]] = {
    "identity": ("cases",),
    "cases": ("rating",),
    "notify": ("identity", "cases", "rating"),
    "rating": ("cases",),
}
"""Service -> the sources it hears. It gets every type of each, so that it sees every sequence (but see below)."""

ACCESS_LOG = "identity"
"""The service that keeps the access log. Of other sources it hears the looks at citizens' data and nothing else, and
nobody else hears those: they are as many as there are readers, and each has a sequence of its own."""

SUBSCRIPTION_PREFIX = "dept."
SUBSCRIBABLE = "cases"
"""The source whose events departments and outside organisations may subscribe to: the shared history of cases."""

RETRY_DELAYS = (1, 5, 30, 120)
"""Seconds that a failed event waits before its next attempt; after the last one it is a dead letter."""

DELIVERY_LIMIT = 100
"""How often the broker hands a message out again after a crash before it is a dead letter.

For an event that ends its process. A handler that raises is counted by the retry queues; so few that a service which
cannot start (a bad deployment) would empty its queue into the dead letters are too few.
"""


def publishers() -> tuple[str, ...]:
    """The services that publish events; each has one relay."""
    return tuple(service for service in SERVICES if events_of(service))


def events_of(source: str) -> tuple[type[Event], ...]:
    return tuple(event for event in EVENTS if event.source == source)


def history_of(source: str) -> tuple[type[Event], ...]:
    """The events that follow one another and that others may hear: of `cases`, the shared history."""
    return tuple(event for event in events_of(source) if not event.is_alone and not event.is_private)


def heard_by(service: str, source: str) -> tuple[type[Event], ...]:
    """The looks are the access log's alone. What identity itself publishes alone (`code.issued`) is no look."""
    if service == ACCESS_LOG:
        return tuple(event for event in events_of(source) if event.is_alone)
    return tuple(event for event in events_of(source) if not event.is_alone or source == ACCESS_LOG)


def exchange(source: str) -> str:
    return f"{source}.events"


def back(queue: str) -> str:
    """The direct exchange through which an event is put into this queue, its retries or its dead letters alone.

    Its subscriber may write to it, to try an event again; the relay does for replays, the operator to redrive. So
    nobody needs the default exchange, through which any queue can be reached, those of RPC too.
    """
    return f"{queue}.back"


@dataclass(frozen=True, slots=True)
class Queue:
    """A quorum queue of one subscriber on one source. `patterns` are its routing keys on `<source>.events`.

    `retry_delays` are the seconds of its retry queues. A department's has none: its program tries again in place.
    `one_reader`: the broker hands events to one consumer at a time and the others stand by, which keeps the order.
    """

    name: str
    source: str
    patterns: tuple[str, ...]
    retry_delays: tuple[int, ...] = ()
    one_reader: bool = False

    @property
    def dead(self) -> str:
        """Where its dead letters wait for an operator."""
        return f"{self.name}.dead"

    def retry(self, delay: int) -> str:
        """Where an event waits `delay` seconds; it comes back through `back`, to this queue only."""
        return f"{self.name}.retry.{delay}s"

    @property
    def back(self) -> str:
        return back(self.name)

    @property
    def parts(self) -> tuple[str, ...]:
        """Every queue that belongs to it, itself first."""
        return (self.name, self.dead, *map(self.retry, self.retry_delays))

    @property
    def declared(self) -> dict[str, dict[str, Any]]:
        """Part -> its arguments."""
        retries = {self.retry(delay): self.retry_arguments(delay) for delay in self.retry_delays}
        return {self.dead: DEAD_ARGUMENTS, self.name: self.arguments, **retries}

    @property
    def arguments(self) -> dict[str, Any]:
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            # at-least-once dead-lettering needs reject-publish (RabbitMQ: quorum queues); without a length
            # limit the queue never does reject
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            "x-dead-letter-exchange": self.back,
            "x-dead-letter-routing-key": self.dead,
            # not the consumer's `exclusive`: quorum queues pass over it (RabbitMQ 3.10, tried)
            **({"x-single-active-consumer": True} if self.one_reader else {}),
        }

    def retry_arguments(self, delay: int) -> dict[str, Any]:
        return self.arguments | {"x-message-ttl": delay * 1000, "x-dead-letter-routing-key": self.name}


# an operator who looks at dead letters hands them back, and each look counts as a delivery: from version 4 on the
# broker would drop them after 20
DEAD_ARGUMENTS: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}


def service_queue(service: str, source: str) -> Queue:
    """`notify.cases`, bound to every type of `cases` that the service hears."""
    patterns = tuple(f"{event.type}.#" for event in heard_by(service, source))
    return Queue(f"{service}.{source}", source, patterns, RETRY_DELAYS)


def subscription_queue(owner: str, subscription: str, patterns: Iterable[str] = ()) -> Queue:
    """`dept.<owner>.<subscription>`; `owner` is a department or an outside organisation."""
    return Queue(f"{SUBSCRIPTION_PREFIX}{owner}.{subscription}", SUBSCRIBABLE, tuple(patterns), one_reader=True)


def service_queues(source: str) -> tuple[Queue, ...]:
    """The queues of our own services that hear `source`. Subscriptions are rows in its database besides."""
    return tuple(service_queue(name, source) for name, sources in SUBSCRIPTIONS.items() if source in sources)


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the platform. `port` is its offset slot: the gateway's own port, or its metrics and health."""

    name: str
    arguments: tuple[str, ...]
    slot: int

    @property
    def module(self) -> str:
        return self.arguments[0]


PORT_STEP = 137
"""Ports are the gateway's plus a multiple of this, so that two checkouts on neighbouring ports do not meet."""


def processes() -> tuple[Process, ...]:
    """Every process of ours, in the order in which they start. Broker and database come before, and are not ours."""
    relays = [Process(f"relay-{name}", ("chassis.relay", name), slot) for slot, name in enumerate(publishers(), 20)]
    services = [Process(name, (f"services.{name}",), slot) for slot, name in enumerate(SERVICES, 10)]
    webhooks = Process(f"webhooks-{SUBSCRIBABLE}", ("chassis.webhooks", SUBSCRIBABLE), 30)
    # tells clients of the end of sessions: outside of identity, which has no way out to anybody's address
    logout = Process("logout-identity", ("services.identity.notices",), 31)
    # asks registers of evidence: for the same reason, and so that a slow one holds up nobody's case
    registries = Process("registries-cases", ("services.cases.registries",), 32)
    return (*relays, webhooks, logout, registries, *services, Process("gateway", ("gateway",), 0))


def port(gateway_port: int, slot: int) -> int:
    return gateway_port + slot * PORT_STEP
