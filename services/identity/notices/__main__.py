"""`python -m services.identity.notices`: tell clients of the end of sessions until SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import time
from datetime import UTC, datetime

from chassis import http, logs, settings
from chassis.database import Database, Session
from chassis.webhooks.addresses import Resolver
from chassis.webhooks.sender import Sender
from services.identity.notices.sending import NoticeSender
from services.identity.notices.settings import NoticeSettings
from services.identity.oauth.keys import load_keys
from services.identity.oauth.pairwise import Subjects
from services.identity.oauth.tokens import Issuer
from services.identity.persons.people import People
from services.identity.persons.vault import Vault
from services.identity.sealing import Seal

_STALLED_SECONDS = 60.0
_CONNECTIONS = 2


def issuer(session: Session, configuration: NoticeSettings) -> Issuer:
    key = configuration.cookie_key.get_secret_value()
    other = configuration.other_cookie_key.get_secret_value() if configuration.other_cookie_key else None
    keys = load_keys(session, Seal(key, "signing-keys", other), datetime.now(UTC))
    subjects = Subjects(session, Seal(key, "pairwise-subjects", other))
    return Issuer(configuration.base_url, keys, subjects, people=People(session, Vault(key, other)))


async def run(database: Database, configuration: NoticeSettings) -> None:
    resolver = Resolver()
    sender = Sender(
        resolver,
        configuration.webhook_networks,
        configuration.webhook_ca_file,
        configuration.webhook_timeout_seconds,
    )
    notices = NoticeSender(database, lambda session: issuer(session, configuration), sender)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, notices.stop)
    healthy = http.check(lambda: time.monotonic() - notices.turned < _STALLED_SECONDS)
    http.serve(configuration.http_host, configuration.http_port, {"/healthz": healthy, "/readyz": healthy})
    await notices.run()
    await sender.close()
    resolver.close()


def main() -> None:
    logs.configure("logout-identity")
    configuration = settings.load(NoticeSettings)
    asyncio.run(run(Database(settings.database_url("identity"), _CONNECTIONS), configuration))


if __name__ == "__main__":
    main()
