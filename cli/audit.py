"""`onehall audit`: whether the access log is whole."""

from __future__ import annotations

import sys

import click

from cli.platform import identity_database, seal
from services.identity.access_log import sealing
from services.identity.access_log.domain import Link

BROKEN = 1


@click.group()
def audit() -> None:
    """The access log: who looked at citizens' data."""


class _Known(click.ParamType[Link]):
    name = "POSITION:HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Link:
        try:
            return Link.parse(str(value))
        except ValueError:
            self.fail("it is not an end that `audit verify` printed", param, ctx)


@audit.command()
@click.option("--known", type=_Known(), help="The end that an earlier run printed: the log must still hold it.")
def verify(known: Link | None) -> None:
    """Walk the chain of the access log; print its end, or the first place where it is broken (exit code 1).

    Keep the end that is printed outside the database, and give it to the next run: only so a log is found out that
    was set back to an older state as a whole.
    """
    report = sealing.verify(identity_database(), seal(sealing.PURPOSE), known)
    if report.fault is not None:
        click.echo(f"onehall: the access log is broken: {report.fault}", err=True)
        sys.exit(BROKEN)
    click.echo(f"{report.end.position} entries are whole, {report.unsealed} wait for their seal")
    click.echo(f"end {report.end}")
