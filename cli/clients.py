"""`onehall client`: programs that may ask for tokens."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from cli.platform import identity_database, operator_settings
from contracts.actors import CHANNELS
from services.identity import commands, sealing
from services.identity.domain import (
    AUTH_METHODS,
    AUTHORIZATION_CODE,
    GRANTS,
    KEY_AUTH_METHODS,
    PUBLIC_AUTH_METHODS,
    REFRESH_TOKEN,
    SCOPES,
    SECRET_AUTH_METHODS,
    SIGNING_ALGORITHMS,
    SUBJECT_TYPES,
    Client,
)
from services.identity.oauth.client_keys import ClientKeysInvalid, usable_keys
from services.identity.oauth.client_metadata import metadata_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MAX_USES = 1_000

_DATE = click.DateTime(["%Y-%m-%d"])


@click.group()
def client() -> None:
    """Programs that may ask for tokens."""


def _with_protocol_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the provider does otherwise for this client."""
    algorithm = click.Choice(SIGNING_ALGORITHMS)
    for option in (
        click.option("--require-par", is_flag=True, help="It must push its authorization requests (RFC 9126)."),
        click.option("--require-dpop", "requires_dpop", is_flag=True, help="Its tokens are bound to a key (RFC 9449)."),
        click.option("--id-token-alg", type=algorithm, default="ES256", show_default=True, help="Signs its ID tokens."),
        click.option("--userinfo-alg", type=algorithm, help="Signs what userinfo tells it; else it is plain JSON."),
        click.option("--subject-type", type=click.Choice(SUBJECT_TYPES), default="public", show_default=True),
        click.option("--sector", metavar="NAME", help="Clients of one sector know a person by one pairwise subject."),
        click.option("--access-token-seconds", type=int, help="Instead of the platform's own lifetime."),
        click.option("--refresh-token-seconds", type=int, help="How long one may lie unused."),
        click.option("--backchannel-logout-uri", metavar="U", help="Is told there when a session ends (https)."),
    ):
        command = option(command)
    return command


@client.command()
@click.argument("client_id", metavar="ID")
@click.option("--secret", help="The client's secret; without it one is made.")
@click.option("--public", is_flag=True, help="A program that can keep no secret (an app, a page).")
@click.option("--auth-method", type=click.Choice(AUTH_METHODS), help="Only this one.")
@click.option("--jwks", "keys_file", type=_FILE, metavar="FILE", help="The public keys (JWKS) of private_key_jwt.")
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
@_with_protocol_options
def add(
    client_id: str,
    secret: str | None,
    public: bool,
    auth_method: str | None,
    keys_file: Path | None,
    until: datetime | None,
    **fields: Any,
) -> None:
    """Register the client ID and print it as JSON. The secret is shown this once."""
    methods = _auth_methods(public, auth_method, secret, keys_file)
    secret = secret or sealing.new_secret() if methods[0] in SECRET_AUTH_METHODS else None
    fields["jwks"] = _read_keys(keys_file) if keys_file else None
    new = _client(client_id, secret, methods, ends_at=_end_of(until) if until else None, **fields)
    with identity_database().transaction() as session:
        commands.add_client(session, new)
    click.echo(json.dumps(_shown(new, secret), ensure_ascii=False, indent=2))


def _auth_methods(public: bool, auth_method: str | None, secret: str | None, keys_file: Path | None) -> tuple[str, ...]:
    """How the client may prove itself. Raise `UsageError` where two options say different things."""
    possible: tuple[str, ...] = SECRET_AUTH_METHODS
    if public or auth_method in PUBLIC_AUTH_METHODS:
        possible = PUBLIC_AUTH_METHODS
    elif keys_file is not None:
        possible = KEY_AUTH_METHODS
    if secret is not None and possible != SECRET_AUTH_METHODS:
        raise click.UsageError("a client that is public or signs with its keys has no secret")
    if keys_file is not None and possible != KEY_AUTH_METHODS:
        raise click.UsageError("a public client has no keys to sign with")
    if auth_method is not None and auth_method not in possible:
        raise click.UsageError(f"{auth_method} needs {'--jwks' if auth_method in KEY_AUTH_METHODS else 'a secret'}")
    return (auth_method,) if auth_method else possible


def _read_keys(file: Path) -> dict[str, Any]:
    try:
        return usable_keys(json.loads(file.read_text()))
    except ClientKeysInvalid as invalid:
        raise click.BadParameter(str(invalid), param_hint="--jwks") from None
    except ValueError:
        raise click.BadParameter(f"{file} is no JSON", param_hint="--jwks") from None


def _client(
    client_id: str, secret: str | None, methods: tuple[str, ...], grants: tuple[str, ...], scope: str, **fields: Any
) -> Client:
    return Client(
        id=client_id,
        secret_hash=sealing.hash_secret(secret) if secret else None,
        auth_methods=methods,
        grants=grants or (AUTHORIZATION_CODE, REFRESH_TOKEN),
        scopes=tuple(scope.split()),
        **fields | {"name": fields["name"] or client_id},
    )


def _shown(new: Client, secret: str | None) -> dict[str, Any]:
    """By the names of RFC 7591, section 2, as far as it has them."""
    own = {name: value for name, value in dataclasses.asdict(new).items() if name in _OWN}
    ends_at = new.ends_at.isoformat() if new.ends_at else None
    return metadata_of(new) | ({"client_secret": secret} if secret else {}) | own | {"ends_at": ends_at}


_OWN = ("first_party", "channel", "department", "organisation", "access_token_seconds", "refresh_token_seconds")


def _end_of(day: datetime) -> datetime:
    """The first moment that is not in that day any more."""
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
        commands.enable_client(session, client_id, _end_of(until) if until else None, datetime.now(UTC))
    click.echo(f"{client_id} is enabled")


@client.command("registration-token")
@click.option("--uses", type=click.IntRange(1, MAX_USES), default=1, show_default=True, help="How many clients.")
@click.option("--until", type=_DATE, required=True, help="The last day (UTC) on which it is good.")
def registration_token(uses: int, until: datetime) -> None:
    """Print a token by which somebody's program may register itself as a client (RFC 7591). It is shown this once."""
    ends_at = _end_of(until)
    with identity_database().transaction() as session:
        token = commands.add_registration_token(session, uses, ends_at)
    click.echo(json.dumps({"initial_access_token": token, "uses": uses, "ends_at": ends_at.isoformat()}, indent=2))


@client.command()
def platform() -> None:
    """Make or update the clients that the platform's own services are (secrets from the environment)."""
    secret = operator_settings().notify_client_secret
    if secret is None:
        raise click.ClickException("ONEHALL_NOTIFY_CLIENT_SECRET is missing")
    with identity_database().transaction() as session:
        commands.save_platform_clients(session, secret.get_secret_value())
