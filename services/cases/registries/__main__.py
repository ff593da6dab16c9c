"""`python -m services.cases.registries`: ask registers of evidence until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import time

from chassis import http, logs, settings
from chassis.database import Database, Session
from chassis.sealing import Seal
from services.cases.registries import store
from services.cases.registries.adapter import Answer
from services.cases.registries.asking import RegistryAsker
from services.cases.registries.domain import Asked
from services.cases.registries.settings import RegistrySettings

log = logging.getLogger(__name__)

_STALLED_SECONDS = 60.0
_CONNECTIONS = 2


def deliver(session: Session, asked: Asked, answer: Answer) -> None:
    """Nobody waits for an answer yet."""
    log.info("register %s: %s for question %s", asked.registry.name, answer.result, asked.id)


async def run(database: Database, configuration: RegistrySettings) -> None:
    other = configuration.other_cases_key
    seal = Seal(configuration.cases_key.get_secret_value(), store.PURPOSE, other.get_secret_value() if other else None)
    asker = RegistryAsker(database, seal, configuration.secret_of, deliver)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asker.stop)
    healthy = http.check(lambda: time.monotonic() - asker.turned < _STALLED_SECONDS)
    http.serve(configuration.http_host, configuration.http_port, {"/healthz": healthy, "/readyz": healthy})
    await asker.run()
    await asker.close()


def main() -> None:
    logs.configure("registries-cases")
    configuration = settings.load(RegistrySettings)
    # both would log addresses and sizes of what is asked
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    asyncio.run(run(Database(settings.database_url("cases"), _CONNECTIONS), configuration))


if __name__ == "__main__":
    main()
