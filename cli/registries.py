"""`onehall registry`: registers of evidence that answer for a department or an organisation."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from typing import Any

import click

from chassis import settings
from cli.platform import cases_database
from services.cases.catalogue.live import LiveCatalogue
from services.cases.registries import agreeing, commands, store
from services.cases.registries.adapter import NoAnswer, open_registry
from services.cases.registries.domain import Registry
from services.cases.registries.settings import RegistrySettings


@click.group()
def registry() -> None:
    """Registers of evidence: who answers through which, and whether it does."""


@registry.command()
@click.argument("name")
@click.option("--owner", required=True, help="The department or organisation that it answers for.")
@click.option("--url", required=True, help="Its address; /oauth/token and /v1/evidence stand under it.")
@click.option("--client-id", default="onehall", show_default=True, help="What it knows us by.")
@click.option("--kind", "kinds", multiple=True, required=True, help="A kind of evidence that it has; may be repeated.")
def add(name: str, owner: str, url: str, client_id: str, kinds: tuple[str, ...]) -> None:
    """Let OWNER's evidence be asked of the register NAME; again, it is changed. Print it as JSON.

    Its secret stands in ONEHALL_EVIDENCE_SECRETS (NAME=secret) of the process `registries-cases`, and nowhere else.
    """
    database = cases_database()
    known = agreeing.known_in(LiveCatalogue().current(database))
    plain = os.environ.get("ONEHALL_ENVIRONMENT") == "local"
    described: dict[str, Any] = {"owner": owner, "url": url, "client_id": client_id, "kinds": kinds, "plain": plain}
    with database.transaction() as session:
        made = commands.add_registry(session, known, name, **described, now=datetime.now(UTC))
    click.echo(json.dumps(_view(made), ensure_ascii=False, indent=2))


@registry.command("list")
def list_registries() -> None:
    """List registers, one a line, as JSON; the ended ones too."""
    with cases_database().transaction() as session:
        for row in store.list_registries(session):
            times = {name: value.isoformat() if value else None for name, value in _times(row).items()}
            click.echo(json.dumps(dict(row._mapping) | times, ensure_ascii=False))


@registry.command()
@click.argument("name")
def check(name: str) -> None:
    """Ask the register NAME for a token, with the secret of ONEHALL_EVIDENCE_SECRETS: is it there, does it know us?"""
    with cases_database().transaction() as session:
        described = store.get_registry(session, name)
    if described is None:
        raise click.ClickException(f"there is no register {name}")
    secret = settings.load(RegistrySettings).secret_of.get(name)
    if secret is None:
        raise click.ClickException(f"ONEHALL_EVIDENCE_SECRETS has no secret of {name}")
    try:
        asyncio.run(_check(described, secret))
    except NoAnswer as none:
        raise click.ClickException(f"{described.url} does not answer as a register does: {none.word}") from none
    click.echo(f"{name} answers at {described.url} and knows {described.client_id}")


@registry.command()
@click.argument("name")
def end(name: str) -> None:
    """Ask the register NAME nothing more."""
    with cases_database().transaction() as session:
        commands.end_registry(session, name, datetime.now(UTC))
    click.echo("ended")


async def _check(described: Registry, secret: str) -> None:
    adapter = open_registry(described.url, described.client_id, secret)
    try:
        await adapter.check()
    finally:
        await adapter.close()


def _view(made: Registry) -> dict[str, Any]:
    return {
        "name": made.name,
        "owner": made.owner,
        "url": made.url,
        "client_id": made.client_id,
        "kinds": list(made.kinds),
    }


def _times(row: Any) -> dict[str, datetime | None]:
    return {"made_at": row.made_at, "ended_at": row.ended_at, "rests_until": row.rests_until}
