"""`onehall user`: accounts, and who works here. Each change is in the log that `onehall audit` reads."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import UTC, datetime

import click

from cli.platform import at_once, hand, identity_database, operator_settings, vault
from contracts.actors import STAFF_ROLES
from services.identity import commands
from services.identity.domain import Account
from services.identity.persons.identifiers import Particulars
from services.identity.staff import commands as staff
from services.identity.staff import queries
from services.identity.staff.domain import Post

_ROLE = click.Choice(STAFF_ROLES)


@click.group()
def user() -> None:
    """Accounts of citizens and staff."""


@user.command()
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else it is asked for.")
@click.option("--name", help="Shown in pages; the user name if absent.")
@click.option("--email", help="Where mail goes; in a local run USERNAME@example.org if absent.")
@click.option("--role", "roles", type=_ROLE, multiple=True, help="May be repeated; none: a citizen.")
@click.option("--department", help="The department that the person works for.")
@click.option("--hall", help="The hall at whose counter a clerk works; an officer of one sees the cases of its region.")
def add(
    username: str,
    password_stdin: bool,
    name: str | None,
    email: str | None,
    roles: tuple[str, ...],
    department: str | None,
    hall: str | None,
) -> None:
    """Register the account USERNAME and print it as JSON."""
    if email is None and operator_settings().environment == "production":
        raise click.UsageError("--email is missing")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask_password()
    account = Account("", username, name or username, roles=roles, department=department, hall=hall)
    particulars = Particulars(email=email or f"{username}@example.org")
    now, operator, post = datetime.now(UTC), hand(), Post(roles, department, hall)
    registered = commands.register_account(
        *(identity_database(), at_once, vault(), account, particulars, password, now),
        confirm=lambda session, subject: staff.note_change(session, operator, subject, f"added {post.words}", now),
    )
    shown = dataclasses.asdict(registered) | {"email": particulars.email}
    click.echo(json.dumps(shown, ensure_ascii=False, indent=2))


def _ask_password() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


@user.command("list")
@click.option("--role", type=_ROLE, help="Only those with this role.")
@click.option("--department", help="Only those of this department.")
def list_(role: str | None, department: str | None) -> None:
    """Print staff and disabled accounts by user name, each as one line of JSON."""
    with identity_database().transaction() as session:
        for member in queries.list_members(session, role=role, department=department):
            click.echo(json.dumps(member, ensure_ascii=False))


@user.command()
@click.argument("username")
def show(username: str) -> None:
    """Print the account USERNAME as JSON: post, sessions, last sign-in. A citizen reads of it in their access log."""
    with identity_database().transaction() as session:
        shown = queries.show(session, hand(), username, datetime.now(UTC))
    click.echo(json.dumps(shown, ensure_ascii=False, indent=2))


@user.command()
@click.argument("username")
@click.option("--role", "roles", type=_ROLE, multiple=True, help="May be repeated.")
@click.option("--department", help="The department; of another than before the old roles end.")
@click.option("--hall", help="The hall at whose counter a clerk works; an officer of one sees the cases of its region.")
def grant(username: str, roles: tuple[str, ...], department: str | None, hall: str | None) -> None:
    """Let USERNAME work as one more role, or elsewhere.

    The next token has it. Whoever goes to another department takes nothing along: roles, sessions and tokens of before
    end at once. An operator or an auditor has no other role.
    """
    with identity_database().transaction() as session:
        post = staff.grant(session, hand(), username, roles, department=department, hall=hall, now=datetime.now(UTC))
    _say(username, post)


@user.command()
@click.argument("username")
@click.option("--role", "roles", type=_ROLE, multiple=True, help="May be repeated; none: all that they have.")
def revoke(username: str, roles: tuple[str, ...]) -> None:
    """Take roles from USERNAME.

    Tokens that are out keep them for their life, ten minutes. With the last role all sessions and tokens end at once,
    and the account is a citizen's.
    """
    with identity_database().transaction() as session:
        post = staff.revoke(session, hand(), username, roles, datetime.now(UTC))
    _say(username, post)


@user.command()
@click.argument("username")
def disable(username: str) -> None:
    """Let nobody sign in as USERNAME: to whoever tries, the password is wrong.

    Sessions and tokens end at once; the gateway forgets pages' sessions within half a minute, and an access token that
    somebody else was shown is good at the API for its life, ten minutes.
    """
    with identity_database().transaction() as session:
        staff.disable(session, hand(), username, datetime.now(UTC))
    click.echo(f"{username} is disabled")


@user.command()
@click.argument("username")
def enable(username: str) -> None:
    """Let USERNAME sign in again, with the roles of before."""
    with identity_database().transaction() as session:
        staff.enable(session, hand(), username, datetime.now(UTC))
    click.echo(f"{username} is enabled")


@user.command("reset-factors")
@click.argument("username")
def reset_factors(username: str) -> None:
    """Remove the second factors of USERNAME, who has lost them and whom you have seen.

    Sessions and tokens end, and the owner is told. Staff sets up a new one at the next sign-in.
    """
    with identity_database().transaction() as session:
        staff.reset_factors(session, hand(), username, datetime.now(UTC))
    click.echo(f"{username} signs in with the password alone, and sets up a second factor anew")


def _say(username: str, post: Post) -> None:
    places = {"department": post.department, "hall": post.hall}
    where = "".join(f", {kind} {name}" for kind, name in places.items() if name)
    click.echo(f"{username}: {', '.join(post.roles) or 'no role'}{where}")
