"""The base of every service class: its database, the call's actor, settings, metrics and request context."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from nameko.extensions import DependencyProvider

from chassis import context, inbox, metrics, run
from chassis.bus import EventConsumer, EventConsumerProvider, on_event
from chassis.database import Database
from chassis.extensions import ServiceDatabase
from chassis.settings import RpcSettings, Settings
from chassis.timer import timer
from contracts.actors import Actor
from contracts.envelope import Envelope
from contracts.errors import ServiceError

log = logging.getLogger(__name__)

ANONYMOUS = Actor(subject="", client="")
"""Whoever calls without a token: may read what is public."""

_PARKED_BATCH = 100


class DatabaseProvider(DependencyProvider):
    shared = ServiceDatabase()

    def get_dependency(self, worker_ctx: Any) -> Database:
        return self.shared.database


class ActorProvider(DependencyProvider):
    """The actor that the gateway put into the call; nobody, where it put none."""

    def get_dependency(self, worker_ctx: Any) -> Actor:
        fields = worker_ctx.data.get("actor")
        try:
            return Actor.from_dict(fields) if fields else ANONYMOUS
        except (KeyError, TypeError, AttributeError):
            # raising here would end the process (Nameko); nobody in particular may do only what all may
            log.warning("a call came with an actor that cannot be read; it is treated as nobody's")
            return ANONYMOUS


class SettingsProvider(DependencyProvider):
    def get_dependency(self, worker_ctx: Any) -> Settings:
        settings: Settings = worker_ctx.config["settings"]
        return settings


class CallRecorder(DependencyProvider):
    """Enters the caller's request context, and counts and times every entrypoint."""

    def setup(self) -> None:
        self._started: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def worker_setup(self, worker_ctx: Any) -> None:
        data = worker_ctx.data
        context.enter(data.get("correlation_id"), data.get("traceparent"), data.get("address"))
        self._started[worker_ctx] = time.perf_counter()

    def worker_result(self, worker_ctx: Any, result: Any = None, exc_info: Any = None) -> None:
        labels = (worker_ctx.service_name, worker_ctx.entrypoint.method_name)
        metrics.entrypoints.labels(*labels, _outcome(exc_info)).inc()
        metrics.entrypoint_seconds.labels(*labels).observe(time.perf_counter() - self._started.pop(worker_ctx))


def _outcome(exc_info: Any) -> str:
    if exc_info is None:
        return "ok"
    return "refused" if isinstance(exc_info[1], ServiceError) else "failed"


class Service:
    """Subclass it, set `name` (as in the topology) and `settings_class`, and add entrypoints."""

    name: ClassVar[str]
    settings_class: ClassVar[type[Settings]] = RpcSettings

    database: Database = DatabaseProvider()
    actor: Actor = ActorProvider()
    settings: Settings = SettingsProvider()
    calls = CallRecorder()
    events: EventConsumer = EventConsumerProvider()

    @staticmethod
    def offload(function: Callable[..., Any], *arguments: Any) -> Any:
        """See `chassis.run.offload`."""
        return run.offload(function, *arguments)

    @on_event("*")
    def on_any_other_event(self, session: Any, envelope: Envelope) -> None:
        """Types without a handler still move the cursor on, so that their successors are not taken for early."""

    @timer(interval=5)
    def send_back_parked_events(self) -> None:
        """The net under a process that died between an event and its parked successor."""
        if not self.events.queues:
            return
        with self.database.transaction() as session:
            metrics.inbox_parked.labels(self.name).set(inbox.count_parked(session))
            ready = inbox.ready(session, _PARKED_BATCH)
        for envelope in ready:
            self.events.send_back(envelope)
