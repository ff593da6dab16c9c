"""`onehall user recover`: who cannot get in by themselves is let in again."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cli.platform import hand, identity_database, notice_keys, operator_settings
from services.identity.recovery.handing_over import begin_by_operator


@click.command()
@click.argument("username")
@click.option("--lost-factors", is_flag=True, help="Take the second factors off with it: they are lost.")
def recover(username: str, *, lost_factors: bool) -> None:
    """Print a link by which USERNAME sets a new password, once and within an hour.

    For staff, whom no address recovers. See first who it is that asks; every address of the account is told, and its
    owner may stop it. All their sessions and tokens end with the new password.
    """
    keys = notice_keys()
    with identity_database().transaction() as session:
        code = begin_by_operator(session, keys, hand(), username, datetime.now(UTC), loses_factors=lost_factors)
    click.echo(f"{operator_settings().base_url}/recover/link/{code}")
