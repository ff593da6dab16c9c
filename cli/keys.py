"""`onehall key`: the keys that sign tokens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from chassis import resealing
from chassis.database import Database
from chassis.resealing import SealedColumn
from chassis.sealing import Seal
from cli.platform import cases_database, identity_database, keys_of, seal, seal_under, sealing, vault
from services.cases import sealed_columns as of_cases
from services.identity.oauth import keys
from services.identity.oauth.keys import StoredKey
from services.identity.persons import commands as persons
from services.identity.sealed_columns import SEALED_COLUMNS


@click.group()
def key() -> None:
    """The keys that sign tokens."""


@key.command("list")
def list_() -> None:
    """Print every published key as JSON: what it signs with, and since and until when."""
    now = datetime.now(UTC)
    with identity_database().transaction() as session:
        stored = keys.list_keys(session)
    shown = [_shown(each, stored, now) for each in stored if not keys.is_over(each, stored, now)]
    click.echo(json.dumps(shown, indent=2))


def _shown(stored_key: StoredKey, stored: list[StoredKey], now: datetime) -> dict[str, Any]:
    retired_at = keys.retired_at(stored_key, stored)
    state = "next" if stored_key.current_from > now else "current" if retired_at is None or retired_at > now else "old"
    return {
        "kid": stored_key.kid,
        "alg": stored_key.alg,
        "state": state,
        "signs_from": stored_key.current_from.isoformat(),
        "signs_until": retired_at.isoformat() if retired_at else None,
        "published_until": (retired_at + keys.KEPT_AFTER).isoformat() if retired_at else None,
    }


@key.command()
def rotate() -> None:
    """Publish the next key of each algorithm. It signs in a quarter of an hour, when everybody knows it.

    The key until now stays published until nothing that it signed is alive. No token is refused, and nobody signs in
    anew. Doing it again before the next key signs changes nothing.
    """
    now = datetime.now(UTC)
    with sealing(), identity_database().transaction() as session:
        keys.rotate(session, seal("signing-keys"), now)
        waiting = [each for each in keys.list_keys(session) if each.current_from > now]
    for each in waiting:
        click.echo(f"{each.alg} {each.kid} signs from {each.current_from.isoformat(timespec='seconds')}")


@key.command()
@click.argument("kid", metavar="KID")
def revoke(kid: str) -> None:
    """Forget the key KID, which somebody else may have. Everything that it signed ends.

    If it was the one that signs, a new one is made and signs at once. Gateways forget the old one within five minutes.
    """
    with identity_database().transaction() as session:
        if not keys.revoke(session, kid):
            raise click.ClickException(f"there is no such key: {kid}")
    click.echo(f"{kid} is forgotten")


@key.command()
def reseal() -> None:
    """Encrypt all that is kept sealed with the present keys.

    ONEHALL_COOKIE_KEY: signing keys, sessions, ID numbers, phones, mail addresses, secrets of authenticator apps. Where
    they are set also ONEHALL_WEBHOOK_KEY, for what signs webhooks, and ONEHALL_CASES_KEY, for drafts.

    It may be encrypted with ONEHALL_OTHER_..._KEY until then, which can be forgotten afterwards. The platform goes on
    meanwhile. It may be stopped and repeated: what is done stays done.
    """
    database = identity_database()
    with sealing():
        lost = _reseal_columns(database, SEALED_COLUMNS, seal)
        count, unopened = persons.reseal(database, vault())
    click.echo(f"{count} ID numbers, phones and mail addresses were sealed anew")
    lost += unopened
    for key, columns in (("webhook", of_cases.OF_WEBHOOK_KEY), ("cases", of_cases.OF_CASES_KEY)):
        if (keys_of_cases := keys_of(key)) is not None:
            lost += _reseal_columns(cases_database(), columns, partial(seal_under, keys_of_cases))
    if lost:
        raise click.ClickException(
            f"{lost} of them do not open: they were sealed with a third key, and stay as they are"
        )


def _reseal_columns(database: Database, columns: Iterable[SealedColumn], seal_for: Callable[[str], Seal]) -> int:
    """How many are lost that would be needed."""
    lost = 0
    for column in columns:
        count, unopened = resealing.reseal(database, column, seal_for(column.purpose))
        click.echo(f"{count} of {column.name} were sealed anew")
        lost += unopened if column.is_lasting else 0
    return lost
