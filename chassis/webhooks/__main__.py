"""`python -m chassis.webhooks <service>`: send that service's events to webhooks until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time

import psycopg2

from chassis import http, logs, metrics, settings
from chassis.webhooks import secrets
from chassis.webhooks.addresses import Resolver
from chassis.webhooks.dispatcher import Dispatcher
from chassis.webhooks.housekeeping import Housekeeping
from chassis.webhooks.sender import Sender
from chassis.webhooks.settings import WebhookSettings
from chassis.webhooks.store import WebhookStore
from chassis.webhooks.waiting import wait_at_most
from contracts import topology

log = logging.getLogger("chassis.webhooks")

_LEAD_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 5.0
_STALLED_SECONDS = 60.0


class Leader:
    """Leads when it can, dispatches while it leads, and outlives both the broker and the database."""

    def __init__(self, source: str, database_url: str, configuration: WebhookSettings) -> None:
        self._database_url = database_url
        self._settings = configuration
        other = configuration.other_webhook_key
        self._seal = secrets.seal_of(
            configuration.webhook_key.get_secret_value(), other.get_secret_value() if other else None
        )
        self._resolver = Resolver()
        self._stopped = asyncio.Event()
        self._dispatcher: Dispatcher | None = None
        self._turned = time.monotonic()
        self._leads = metrics.webhook_leader.labels(source)

    async def run(self) -> None:
        wait = _LEAD_SECONDS
        while not self._stopped.is_set():
            self._turned = time.monotonic()
            try:
                await self._serve_term()
                wait = _LEAD_SECONDS
            except (psycopg2.Error, OSError) as error:
                log.warning("interrupted (%r); trying again in %s s", error, wait)
                await wait_at_most(self._stopped, wait)
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        self._resolver.close()

    def stop(self) -> None:
        self._stopped.set()
        if self._dispatcher is not None:
            self._dispatcher.stop()

    def is_alive(self) -> bool:
        """Whether it still tries to lead, or the database answers it as leader."""
        dispatcher = self._dispatcher
        return time.monotonic() - (dispatcher.answered if dispatcher else self._turned) < _STALLED_SECONDS

    async def _serve_term(self) -> None:
        store = await asyncio.to_thread(WebhookStore, self._database_url)
        try:
            while not self._stopped.is_set():
                if await asyncio.to_thread(store.try_lead):
                    await self._dispatch(store)
                    return
                self._turned = time.monotonic()
                await wait_at_most(self._stopped, _LEAD_SECONDS)
        finally:
            store.close()

    async def _dispatch(self, store: WebhookStore) -> None:
        log.info("leading")
        housekeeping = Housekeeping(self._database_url, self._settings.webhook_retention_days)
        sender = Sender(
            self._resolver,
            self._settings.webhook_networks,
            self._settings.webhook_ca_file,
            self._settings.webhook_timeout_seconds,
        )
        self._dispatcher = Dispatcher(store, sender, self._seal, self._settings.amqp_uri.get_secret_value())
        housekeeping.start()
        self._leads.set(1)
        try:
            await self._dispatcher.run()
        finally:
            self._leads.set(0)
            self._dispatcher = None
            await sender.close()
            await asyncio.to_thread(housekeeping.stop)


async def run(source: str, database_url: str, configuration: WebhookSettings) -> None:
    leader = Leader(source, database_url, configuration)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leader.stop)
    healthy = http.check(leader.is_alive)
    http.serve(configuration.http_host, configuration.http_port, {"/healthz": healthy, "/readyz": healthy})
    await leader.run()


def main() -> None:
    if sys.argv[1:] != [topology.SUBSCRIBABLE]:
        sys.exit(f"usage: python -m chassis.webhooks {topology.SUBSCRIBABLE}")
    source = sys.argv[1]
    logs.configure(f"webhooks-{source}")
    configuration = settings.load(WebhookSettings)
    asyncio.run(run(source, settings.database_url(source), configuration))


if __name__ == "__main__":
    main()
