"""`python -m chassis.migrate [service...]`: bring the services' databases up to date. Safe to run twice at once."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

from chassis.relay.retention import Retention
from chassis.settings import database_url
from contracts import topology

_MIGRATION_LOCK = 0x0A1E


def migrate(service: str) -> None:
    """Run what is missing of `services/<service>/migrations/versions`, under a lock and in one transaction."""
    engine = create_engine(database_url(service).replace("postgresql://", "postgresql+psycopg2://", 1))
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        command.upgrade(_configuration(service, connection), "head")
    engine.dispose()
    if service in topology.publishers():
        # as a relay does, for a platform whose relays were off for months
        Retention(database_url(service), months=None).keep()


def _configuration(service: str, connection: Connection) -> Config:
    root = Path(__file__).resolve().parent.parent
    configuration = Config()
    configuration.set_main_option("script_location", str(root / "chassis" / "migrations"))
    configuration.set_main_option("version_locations", str(root / "services" / service / "migrations" / "versions"))
    configuration.set_main_option("path_separator", "newline")
    configuration.attributes["connection"] = connection
    return configuration


def main() -> None:
    for service in sys.argv[1:] or topology.SERVICES:
        migrate(service)
        print(f"{service}: up to date", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
