"""`onehall key`: the keys that sign tokens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from cli.platform import identity_database, seal, sealing, vault
from services.identity.access_log import sealing as access_log
from services.identity.factors import means as factor_means
from services.identity.factors import resealing as factors
from services.identity.oauth import keys
from services.identity.oauth.keys import StoredKey
from services.identity.oauth.pairwise import Subjects
from services.identity.persons import commands as persons
from services.identity.security_notices import resealing as security_notices


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
    """Encrypt all that identity keeps sealed with ONEHALL_COOKIE_KEY.

    Keys, ID numbers, phones, mail addresses, the secrets of authenticator apps.

    They may be encrypted with ONEHALL_OTHER_COOKIE_KEY until then, which can be forgotten afterwards. The platform goes
    on meanwhile. It may be stopped and repeated: what is done stays done.
    """
    database = identity_database()
    with sealing(), database.transaction() as session:
        count = keys.reseal(session, seal("signing-keys"))
        Subjects(session, seal("pairwise-subjects")).reseal()
        access_log.reseal(session, seal(access_log.PURPOSE))
    click.echo(f"{count} keys and the salt are sealed with the present ONEHALL_COOKIE_KEY")
    apps, closed_apps = factors.reseal(database, seal(factor_means.PURPOSE))
    click.echo(f"{apps} secrets of authenticator apps were sealed anew")
    security_notices.reseal(database, vault())
    count, closed = persons.reseal(database, vault())
    click.echo(f"{count} ID numbers, phones and mail addresses were sealed anew")
    if closed + closed_apps:
        raise click.ClickException(
            f"{closed + closed_apps} of them do not open: they were sealed with a third key, and stay as they are"
        )
