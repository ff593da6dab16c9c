"""`onehall demo`: accounts, clients and the story of a local run."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from chassis.database import Database
from chassis.settings import database_url, load_local_environment
from cli.platform import at_once, identity_database, operator_settings, vault
from services.cases.registries.demo import seed_registers
from services.cases.subscriptions import commands as subscriptions
from services.identity import commands
from services.identity.demo import DEPARTMENTS


@click.group()
def demo() -> None:
    """A local run's accounts and clients, and its story."""


@demo.command()
def seed() -> None:
    """Make the demo's accounts, clients and subscriptions. May be repeated; refused in production."""
    settings = operator_settings()
    if settings.notify_client_secret is None:
        raise click.ClickException("ONEHALL_NOTIFY_CLIENT_SECRET is missing")
    notify_secret = settings.notify_client_secret.get_secret_value()
    commands.seed_demo(
        identity_database(),
        at_once,
        vault(),
        settings.environment,
        settings.base_url,
        notify_secret,
        datetime.now(UTC),
    )
    now = datetime.now(UTC)
    with Database(database_url("cases"), pool_size=1).transaction() as session:
        for department in DEPARTMENTS:
            subscriptions.add_own_subscription(session, department, "cases", created_by="demo", now=now)
        seed_registers(session, os.environ.get("ONEHALL_DEMO_REGISTERS_URL"), now)


@demo.command()
def play() -> None:
    """Play the stories (four channels, a joint case, two regions) against the running platform and print them."""
    load_local_environment()
    from cli import demo as story  # its libraries are slow to load, and no other command needs them

    story.play()
