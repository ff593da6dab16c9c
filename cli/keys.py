"""`onehall key`: the keys that sign tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from cli.platform import identity_database, operator_settings
from services.identity.oauth import keys
from services.identity.oauth.keys import StoredKey
from services.identity.oauth.pairwise import Subjects
from services.identity.sealing import Seal, SealedOtherwise, SealingKeyUnusable


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
    with _sealing(), identity_database().transaction() as session:
        keys.rotate(session, _seal("signing-keys"), now)
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
    """Encrypt signing keys and the salt of pairwise subjects with ONEHALL_COOKIE_KEY.

    They may be encrypted with ONEHALL_OTHER_COOKIE_KEY until then, which can be forgotten afterwards.
    """
    with _sealing(), identity_database().transaction() as session:
        count = keys.reseal(session, _seal("signing-keys"))
        Subjects(session, _seal("pairwise-subjects")).reseal()
    click.echo(f"{count} keys and the salt are sealed with the present ONEHALL_COOKIE_KEY")


@contextmanager
def _sealing() -> Iterator[None]:
    try:
        yield
    except SealingKeyUnusable as error:
        raise click.ClickException(f"ONEHALL_COOKIE_KEY cannot be used: {error}") from error
    except SealedOtherwise as error:
        message = "nothing opens: ONEHALL_COOKIE_KEY is not the one of identity, or identity has made no key yet"
        raise click.ClickException(message) from error


def _seal(purpose: str) -> Seal:
    settings = operator_settings()
    if settings.cookie_key is None:
        raise click.ClickException("ONEHALL_COOKIE_KEY is missing")
    other = settings.other_cookie_key
    return Seal(settings.cookie_key.get_secret_value(), purpose, other.get_secret_value() if other else None)
