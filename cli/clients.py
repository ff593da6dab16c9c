"""`onehall client`: programs that may ask for tokens."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cli.platform import identity_database, operator_settings
from contracts.actors import CHANNELS
from services.identity import commands, sealing
from services.identity.domain import (
    AUTHORIZATION_CODE,
    GRANTS,
    PUBLIC_AUTH_METHODS,
    REFRESH_TOKEN,
    SCOPES,
    SECRET_AUTH_METHODS,
    Client,
)

_DATE = click.DateTime(["%Y-%m-%d"])


@click.group()
def client() -> None:
    """Programs that may ask for tokens."""


@client.command()
@click.argument("client_id", metavar="ID")
@click.option("--secret", help="The client's secret; without it one is made.")
@click.option("--public", is_flag=True, help="A program that can keep no secret (an app, a page).")
@click.option("--auth-method", type=click.Choice([*SECRET_AUTH_METHODS, *PUBLIC_AUTH_METHODS]), help="Only this one.")
@click.option("--redirect-uri", "redirect_uris", metavar="U", multiple=True, help="May be repeated.")
@click.option("--post-logout-uri", "post_logout_uris", metavar="U", multiple=True, help="May be repeated.")
@click.option("--grant", "grants", type=click.Choice(GRANTS), multiple=True, help="May be repeated.")
@click.option("--scope", default="openid", show_default=True, help=f"Of: {' '.join(SCOPES)}.")
@click.option("--first-party", is_flag=True, help="The platform's own: nobody is asked to agree.")
@click.option("--name", help="What people read when they are asked to agree.")
@click.option("--channel", type=click.Choice(CHANNELS), default="web", show_default=True)
@click.option("--department", help="The department that the program works for.")
@click.option("--organisation", help="The organisation outside government that the program works for.")
@click.option("--until", type=_DATE, help="The last day (UTC) on which it is given tokens.")
def add(
    client_id: str,
    secret: str | None,
    public: bool,
    auth_method: str | None,
    until: datetime | None,
    **fields: Any,
) -> None:
    """Register the client ID and print it as JSON. The secret is shown this once."""
    is_public = public or auth_method in PUBLIC_AUTH_METHODS
    if is_public and (secret or auth_method in SECRET_AUTH_METHODS):
        raise click.UsageError("a public client has no secret")
    secret = None if is_public else secret or sealing.new_secret()
    new = _client(client_id, secret, auth_method, ends_at=_end_of(until), **fields)
    with identity_database().transaction() as session:
        commands.add_client(session, new)
    click.echo(json.dumps(_shown(new, secret), ensure_ascii=False, indent=2))


def _client(
    client_id: str, secret: str | None, auth_method: str | None, grants: tuple[str, ...], scope: str, **fields: Any
) -> Client:
    methods = SECRET_AUTH_METHODS if secret else PUBLIC_AUTH_METHODS
    return Client(
        id=client_id,
        secret_hash=sealing.hash_secret(secret) if secret else None,
        auth_methods=(auth_method,) if auth_method else methods,
        grants=grants or (AUTHORIZATION_CODE, REFRESH_TOKEN),
        scopes=tuple(scope.split()),
        **fields | {"name": fields["name"] or client_id},
    )


def _shown(new: Client, secret: str | None) -> dict[str, Any]:
    """By the names of RFC 7591, section 2, as far as it has them."""
    shown = {
        "client_id": new.id,
        "client_name": new.name,
        "token_endpoint_auth_method": new.auth_methods[0],
        "redirect_uris": new.redirect_uris,
        "post_logout_redirect_uris": new.post_logout_uris,
        "grant_types": new.grants,
        "scope": " ".join(new.scopes),
    }
    own = {name: value for name, value in dataclasses.asdict(new).items() if name in _OWN}
    ends_at = new.ends_at.isoformat() if new.ends_at else None
    return shown | ({"client_secret": secret} if secret else {}) | own | {"ends_at": ends_at}


_OWN = ("first_party", "channel", "department", "organisation")


def _end_of(day: datetime | None) -> datetime | None:
    """The first moment that is not in that day any more."""
    if day is None:
        return None
    end = day.replace(tzinfo=UTC) + timedelta(days=1)
    if end <= datetime.now(UTC):
        raise click.BadParameter(f"{day:%Y-%m-%d} is over", param_hint="--until")
    return end


@client.command()
@click.argument("client_id", metavar="ID")
def disable(client_id: str) -> None:
    """Give the client ID no more tokens; within seconds its connections to the broker end.

    What it has of the API's access tokens is good until it expires, for ten minutes at most.
    """
    with identity_database().transaction() as session:
        commands.disable_client(session, client_id)
    click.echo(f"{client_id} is disabled")


@client.command()
@click.argument("client_id", metavar="ID")
@click.option("--until", type=_DATE, help="A new last day (UTC); without it the old one stays.")
def enable(client_id: str, until: datetime | None) -> None:
    """Give the client ID tokens again."""
    with identity_database().transaction() as session:
        commands.enable_client(session, client_id, _end_of(until), datetime.now(UTC))
    click.echo(f"{client_id} is enabled")


@client.command()
def platform() -> None:
    """Make or update the clients that the platform's own services are (secrets from the environment)."""
    secret = operator_settings().notify_client_secret
    if secret is None:
        raise click.ClickException("ONEHALL_NOTIFY_CLIENT_SECRET is missing")
    with identity_database().transaction() as session:
        commands.save_platform_clients(session, secret.get_secret_value())
