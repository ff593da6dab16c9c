"""`onehall agreement` and `onehall subscription`: who may hear of others' cases, and who hears what."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cli.platform import cases_database
from services.cases.catalogue.live import LiveCatalogue
from services.cases.subscriptions import commands, domain, queries

_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def end_of(context: click.Context, option: click.Parameter, text: str) -> datetime:
    """A time, or the first moment that is not in that day any more. In UTC."""
    time: datetime = click.DateTime(_FORMATS)(text, option, context)
    is_day = len(text) == len("2026-11-24")
    return time.replace(tzinfo=UTC) + timedelta(days=is_day)


@click.group()
def agreement() -> None:
    """What departments and outside organisations may hear beyond their own cases, and until when."""


@agreement.command()
@click.argument("grantee")
@click.option("--reference", required=True, help="The paper's own name or number.")
@click.option("--until", callback=end_of, required=True, help="Its last day, or a time (UTC).")
@click.option("--type", "types", multiple=True, help="Such as case.closed. All five may be repeated; '*' is any.")
@click.option("--department", "departments", multiple=True, help="The competent department.")
@click.option("--region", "regions", multiple=True)
@click.option("--kind", "kinds", multiple=True)
@click.option("--item", "items", multiple=True, help="The code of a service item.")
def add(grantee: str, reference: str, until: datetime, **parts: tuple[str, ...]) -> None:
    """Let GRANTEE (as its clients are registered) subscribe to what the options name; print it as JSON.

    Its subscriptions end with it.
    """
    agreed = {part: values for part, values in parts.items() if values}
    if not agreed:
        raise click.UsageError("say what it allows: --type, --department, --region, --kind, --item ('*' is any)")
    now = datetime.now(UTC)
    database = cases_database()
    catalogue = LiveCatalogue().current(database)
    with database.transaction() as session:
        try:
            made = commands.add_agreement(session, catalogue, grantee, reference, agreed, until, now)
        except domain.ReferenceTaken as error:
            raise click.ClickException(f"{grantee} has an agreement {reference}; give this one another name") from error
    click.echo(json.dumps(made, ensure_ascii=False, indent=2))


@agreement.command("list")
def list_agreements() -> None:
    """List agreements, one a line, as JSON; the ended ones too."""
    with cases_database().transaction() as session:
        _print_lines(queries.list_agreements(session))


@agreement.command()
@click.argument("grantee")
@click.option("--reference", required=True)
@click.option("--until", callback=end_of, required=True, help="Its new last day, or a time (UTC).")
def extend(grantee: str, reference: str, until: datetime) -> None:
    """Give an agreement, and the subscriptions under it, a new end."""
    with cases_database().transaction() as session:
        extended = commands.extend_agreement(session, grantee, reference, until, datetime.now(UTC))
    click.echo(json.dumps(extended, ensure_ascii=False, indent=2))


@agreement.command("end")
@click.argument("grantee")
@click.option("--reference", required=True)
def end_agreement(grantee: str, reference: str) -> None:
    """End an agreement now, and every subscription under it."""
    with cases_database().transaction() as session:
        ended = commands.end_agreement(session, grantee, reference)
    click.echo(f"ended, with {ended} subscriptions")


@click.group()
def subscription() -> None:
    """Subscriptions of departments and organisations. They make them themselves, over the API."""


@subscription.command("list")
def list_subscriptions() -> None:
    """List subscriptions, one a line, as JSON."""
    with cases_database().transaction() as session:
        _print_lines(queries.list_all(session))


@subscription.command("end")
@click.argument("owner")
@click.argument("name")
def end_subscription(owner: str, name: str) -> None:
    """End one; its queue is removed with all that waits in it. The owner sees that it was ended here."""
    with cases_database().transaction() as session:
        commands.end_subscription_of(session, owner, name)
    click.echo("ended")


def _print_lines(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))
