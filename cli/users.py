"""`onehall user`: accounts."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import UTC, datetime

import click

from cli.platform import at_once, identity_database, operator_settings, vault
from contracts.actors import STAFF_ROLES
from services.identity import commands
from services.identity.domain import Account
from services.identity.persons.identifiers import Particulars


@click.group()
def user() -> None:
    """Accounts of citizens and staff."""


@user.command()
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else it is asked for.")
@click.option("--name", help="Shown in pages; the user name if absent.")
@click.option("--email", help="Where mail goes; in a local run USERNAME@example.org if absent.")
@click.option(
    "--role", "roles", type=click.Choice(STAFF_ROLES), multiple=True, help="May be repeated; none: a citizen."
)
@click.option("--department", help="The department that the person works for.")
def add(
    username: str,
    password_stdin: bool,
    name: str | None,
    email: str | None,
    roles: tuple[str, ...],
    department: str | None,
) -> None:
    """Register the account USERNAME and print it as JSON."""
    if email is None and operator_settings().environment == "production":
        raise click.UsageError("--email is missing")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask_password()
    account = Account("", username, name or username, roles=roles, department=department)
    particulars = Particulars(email=email or f"{username}@example.org")
    registered = commands.register_account(
        identity_database(), at_once, vault(), account, particulars, password, datetime.now(UTC)
    )
    shown = dataclasses.asdict(registered) | {"email": particulars.email}
    click.echo(json.dumps(shown, ensure_ascii=False, indent=2))


def _ask_password() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password
