"""`onehall catalogue`: the service items."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from cli.platform import cases_database
from services.cases.catalogue import check as checking
from services.cases.catalogue import files, importing, live, publishing
from services.cases.catalogue.faults import BrokenCatalogue
from services.cases.catalogue.importing import BrokenList
from services.cases.catalogue.model import LANGUAGES, Catalogue

MOST_SHOWN = 50
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def catalogue() -> None:
    """The service items that citizens find: imported, published, checked."""


@catalogue.command("import")
@click.argument("file", type=_FILE)
def import_list(file: Path) -> None:
    """Import an official list of service items (CSV in UTF-8).

    Columns: item_code, name, department, region, main_item, kind. A row that has changed since the last import becomes
    a new version of its item, an unchanged one nothing. Items that are worked out here, with a form, stay as they are.
    If any row is broken, each is named and nothing is saved.
    """
    if file.stat().st_size > importing.MAX_BYTES:
        raise click.ClickException(f"{file} is larger than {importing.MAX_BYTES:,} bytes")
    database = cases_database()
    items = live.LiveCatalogue().current(database).all()
    try:
        read = importing.read_list(file.read_bytes(), {str(item.description.get("official_code")) for item in items})
        with database.transaction() as session:
            done = publishing.publish_import(session, read.items, datetime.now(UTC))
    except BrokenList as broken:
        _refuse(f"{file.name}:{line}: {reason}" for line, reason in broken.faults)
    except BrokenCatalogue as broken:
        _refuse(f"{file.name}:{line}: {reason}" for line, reason in read.rows_of(broken.faults))
    else:
        click.echo(
            f"{done.new:,} new, {done.changed:,} changed, {done.unchanged:,} unchanged, {read.known:,} worked out here"
        )


@catalogue.command()
@click.argument("paths", nargs=-1, required=True, type=_FILE)
def publish(paths: tuple[Path, ...]) -> None:
    """Publish service items from YAML files, checked with all that is published; every replica follows in a second."""
    database = cases_database()
    live.LiveCatalogue().current(database)
    try:
        descriptions = files.read_files(paths)
        with database.transaction() as session:
            done = publishing.publish_files(session, descriptions, datetime.now(UTC))
    except BrokenCatalogue as broken:
        _refuse(map(str, broken.faults))
    else:
        click.echo(f"{done.new:,} new, {done.changed:,} changed, {done.unchanged:,} unchanged")


@catalogue.command()
@click.argument("paths", nargs=-1, type=_FILE)
@click.option("--shipped", is_flag=True, help="Look at the items of this release, without a database.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
def check(paths: tuple[Path, ...], shipped: bool, language: str) -> None:
    """Look for faults in the catalogue: all that is published, and the items of YAML files as though they were, too.

    What is looked for is what publishing looks for: texts that are not translated, steps that nobody reaches or that
    never end, circular proofs (an item needs, over others, what it alone gives) and strange ones (nobody gives it, or
    the platform holds it). Nothing is saved. Ends with 2 if there is a fault.
    """
    try:
        descriptions = files.read_files(paths)
        codes = {each["code"] for each in descriptions}
        others = [item.description for item in _published(shipped).all() if item.code not in codes]
        all_items = [*descriptions, *others]
        faults = checking.faults_of(all_items)
    except BrokenCatalogue as broken:
        faults = broken.faults
    if faults:
        _say(fault.said_in(language) for fault in faults)
        raise click.ClickException(f"{len(faults):,} faults")
    click.echo(f"{len(all_items):,} items, no fault")


def _published(shipped: bool) -> Catalogue:
    return files.shipped() if shipped else live.LiveCatalogue().current(cases_database())


def _refuse(faults: Iterable[str]) -> None:
    lines = list(faults)
    _say(lines)
    raise click.ClickException(f"nothing was published: {len(lines):,} faults")


def _say(faults: Iterable[str]) -> None:
    lines = list(faults)
    for line in lines[:MOST_SHOWN]:
        click.echo(line, err=True)
    if len(lines) > MOST_SHOWN:
        click.echo(f"... and {len(lines) - MOST_SHOWN:,} more", err=True)
