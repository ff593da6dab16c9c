"""`python -m chassis.relay <service>`: publish that service's events until SIGTERM."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from contextlib import closing

import psycopg2
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError

from chassis import http, logs, metrics, settings
from chassis.relay.management import Management
from chassis.relay.publisher import Publisher
from chassis.relay.replay_store import ReplayStore
from chassis.relay.retention import Retention
from chassis.relay.settings import RelaySettings
from chassis.relay.store import OutboxListener, OutboxStore
from chassis.relay.upkeep import Upkeep
from contracts import topology

log = logging.getLogger("chassis.relay")

_LEAD_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 5.0
_STALLED_SECONDS = 60.0
_GOODBYE_SECONDS = 2.0

INTERRUPTIONS = (psycopg2.Error, AMQPError, AMQPConnectorException, OSError)
"""Broker or database are gone. pika says that a frozen broker took too long by a class that is no `AMQPError`."""


class Relay:
    """Leads when it can, publishes while it leads, and outlives both the broker and the database."""

    def __init__(self, source: str, configuration: RelaySettings, database_url: str) -> None:
        self._source = source
        self._amqp_uri = configuration.amqp_uri.get_secret_value()
        self._database_url = database_url
        self._management = Management(configuration.broker_management_url.get_secret_value(), self._amqp_uri)
        self._retention = Retention(database_url, configuration.history_months)
        self._stopped = threading.Event()
        self._publisher: Publisher | None = None
        self._turned = time.monotonic()
        self._has_led = False
        self._leads = metrics.relay_leader.labels(source)

    def run(self) -> None:
        wait = _LEAD_SECONDS
        while not self._stopped.is_set():
            self._turned = time.monotonic()
            try:
                self._serve_term()
            except INTERRUPTIONS as error:
                wait = _LEAD_SECONDS if self._has_led else wait
                log.warning("interrupted (%r); trying again in %s s", error, wait)
                self._stopped.wait(wait)
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)

    def stop(self) -> None:
        self._stopped.set()
        if self._publisher is not None:
            self._publisher.stop()

    def is_alive(self) -> bool:
        """Whether it still tries to lead, or the database answers it as leader."""
        publisher = self._publisher
        return time.monotonic() - (publisher.answered if publisher else self._turned) < _STALLED_SECONDS

    def _serve_term(self) -> None:
        self._has_led = False
        store = OutboxStore(self._database_url)
        try:
            while not store.try_lead():
                self._turned = time.monotonic()
                if self._stopped.wait(_LEAD_SECONDS):
                    return
            self._publish(store)
        finally:
            self._leads.set(0)
            metrics.forget_term()
            store.close()

    def _publish(self, store: OutboxStore) -> None:
        with (
            closing(OutboxListener(self._database_url)) as listener,
            closing(ReplayStore(self._database_url, self._source)) as replays,
        ):
            publisher = Publisher(self._source, self._amqp_uri, store, listener)
            upkeep = Upkeep(self._source, self._amqp_uri, replays, publisher, self._management, self._retention)
            self._publisher = publisher
            self._leads.set(1)
            self._has_led = True
            log.info("leading")
            upkeep.start()
            try:
                if not self._stopped.is_set():
                    publisher.run()
            finally:
                self._publisher = None
                # a new term must not meet the old one's; a process that ends must not wait for a frozen broker
                upkeep.stop(_GOODBYE_SECONDS if self._stopped.is_set() else None)


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in topology.publishers():
        sys.exit(f"usage: python -m chassis.relay {{{'|'.join(topology.publishers())}}}")
    source = sys.argv[1]
    logs.configure(f"relay-{source}")
    configuration = settings.load(RelaySettings)
    relay = Relay(source, configuration, settings.database_url(source))
    signal.signal(signal.SIGTERM, lambda *_: relay.stop())
    signal.signal(signal.SIGINT, lambda *_: relay.stop())
    healthy = http.check(relay.is_alive)
    http.serve(configuration.http_host, configuration.http_port, {"/healthz": healthy, "/readyz": healthy})
    relay.run()


if __name__ == "__main__":
    main()
