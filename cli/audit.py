"""`onehall audit`: what is in the access log, and whether it is whole."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import click

from cli.platform import hand, identity_database, seal
from contracts import access
from services.identity.access_log import listing, sealing
from services.identity.access_log.domain import Cut, Link

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
    kept = report.end.position - (report.cut.last.position if report.cut else 0)
    click.echo(f"{kept} entries are whole, {report.unsealed} wait for their seal")
    if report.cut is not None:
        _say_cut(report.cut, known)
    click.echo(f"end {report.end}")


def _say_cut(cut: Cut, known: Link | None) -> None:
    went = f"{cut.last.position} entries of before {cut.before:%Y-%m-%d}"
    click.echo(f"{went} are no longer kept (cut {cut.number}, {cut.cut_at:%Y-%m-%d})")
    if known is not None and known.position < cut.last.position:
        click.echo(f"the known end {known.position} went with them: nothing is known of it any more")


_DATE = click.DateTime(["%Y-%m-%d"])


@audit.command("list")
@click.option("--account", help="Whose data it is about: a user name, or a subject.")
@click.option("--viewer", help="Who looked: a user name, a subject, a client's id, or os:LOGIN.")
@click.option("--department", help="The viewer's.")
@click.option("--what", type=click.Choice(access.WHATS), help="What was looked at.")
@click.option("--staff", is_flag=True, help="Only changes of staff: the same as --what staff.")
@click.option("--since", type=_DATE, help="The first day (UTC).")
@click.option("--until", type=_DATE, help="The last day (UTC).")
def list_(
    account: str | None,
    viewer: str | None,
    department: str | None,
    what: str | None,
    staff: bool,
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Print entries of the access log, oldest first, each as one line of JSON. That you read it is an entry, too."""
    wanted = listing.Wanted(
        account=account,
        viewer=viewer,
        department=department,
        what=access.STAFF if staff else what,
        since=since.replace(tzinfo=UTC) if since else None,
        before=until.replace(tzinfo=UTC) + timedelta(days=1) if until else None,
    )
    for entry in listing.list_entries(identity_database(), hand(), wanted, datetime.now(UTC)):
        click.echo(json.dumps(entry, ensure_ascii=False))
