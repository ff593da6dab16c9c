"""`onehall source`: organisations outside government that may be asked for evidence, and what they may say."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from cli.agreements import end_of
from cli.platform import cases_database
from services.cases.catalogue.live import LiveCatalogue
from services.cases.registries import agreeing, store
from services.cases.registries.agreements import Agreement, Terms


def _start(context: click.Context, option: click.Parameter, text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    time: datetime = click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M"))(text, option, context)
    return time.replace(tzinfo=UTC)


@click.group()
def source() -> None:
    """Organisations outside government as sources of evidence: what is agreed with whom, and until when."""


@source.command()
@click.argument("name")
@click.option("--reference", required=True, help="The paper's own name or number.")
@click.option("--document", "documents", multiple=True, required=True, help="KIND, or KIND:FIELD,FIELD for these only.")
@click.option("--item", "items", multiple=True, required=True, help="The code of a service item; '*' is any.")
@click.option("--from", "starts_at", callback=_start, help="Its first day, or a time (UTC); now unless told otherwise.")
@click.option("--until", "ends_at", callback=end_of, required=True, help="Its last day, or a time (UTC).")
def agree(
    name: str,
    reference: str,
    documents: tuple[str, ...],
    items: tuple[str, ...],
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    """Let the organisation NAME (as its clients are registered) be asked for these documents; print it as JSON."""
    terms = Terms(dict(map(_document, documents)), items, starts_at, ends_at)
    database = cases_database()
    known = agreeing.known_in(LiveCatalogue().current(database))
    with database.transaction() as session:
        try:
            made = agreeing.add_agreement(session, known, name, reference, terms, datetime.now(UTC))
        except agreeing.ReferenceTaken as error:
            raise click.ClickException(f"{name} has an agreement {reference}; give this one another name") from error
    _print(made)


@source.command("list")
def list_agreements() -> None:
    """List agreements, one a line, as JSON; the ended ones too."""
    with cases_database().transaction() as session:
        for each in store.list_agreements(session):
            click.echo(json.dumps(agreeing.view(each), ensure_ascii=False))


@source.command()
@click.argument("name")
@click.option("--reference", required=True)
@click.option("--until", "ends_at", callback=end_of, required=True, help="Its new last day, or a time (UTC).")
def extend(name: str, reference: str, ends_at: datetime) -> None:
    """Give an agreement a new end."""
    with cases_database().transaction() as session:
        extended = agreeing.extend_agreement(session, name, reference, ends_at, datetime.now(UTC))
    _print(extended)


@source.command()
@click.argument("name")
@click.option("--reference", required=True)
def end(name: str, reference: str) -> None:
    """End an agreement now: what NAME says under it from now on is refused."""
    with cases_database().transaction() as session:
        agreeing.end_agreement(session, name, reference, datetime.now(UTC))
    click.echo("ended")


def _document(text: str) -> tuple[str, tuple[str, ...] | None]:
    kind, separator, fields = text.partition(":")
    return kind, tuple(field.strip() for field in fields.split(",")) if separator else None


def _print(agreement: Agreement) -> None:
    click.echo(json.dumps(agreeing.view(agreement), ensure_ascii=False, indent=2))
