"""`python -m services.cases.registries`: ask registers of evidence until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from datetime import UTC, datetime

from chassis import http, logs, settings
from chassis.database import Database, Session
from chassis.sealing import Seal
from services.cases.evidence import store as evidence_store
from services.cases.evidence.desk import Desk
from services.cases.registries import store
from services.cases.registries.adapter import Answer
from services.cases.registries.asking import RegistryAsker
from services.cases.registries.delivering import deliver
from services.cases.registries.domain import Asked
from services.cases.registries.settings import RegistrySettings
from services.cases.results import store as result_store

_STALLED_SECONDS = 60.0
_CONNECTIONS = 2


def seal_of(configuration: RegistrySettings, purpose: str) -> Seal:
    other = configuration.other_cases_key
    return Seal(configuration.cases_key.get_secret_value(), purpose, other.get_secret_value() if other else None)


async def run(database: Database, configuration: RegistrySettings) -> None:
    desk = Desk(seal_of(configuration, evidence_store.PURPOSE), seal_of(configuration, result_store.PURPOSE))

    def hand_on(session: Session, asked: Asked, answer: Answer) -> bool:
        return deliver(session, desk, asked, answer, datetime.now(UTC))

    asker = RegistryAsker(database, seal_of(configuration, store.PURPOSE), configuration.secret_of, hand_on)
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
