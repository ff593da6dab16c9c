"""`onehall events replay` and `list-replays`: a part of the event history sent once more."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from sqlalchemy import text

from chassis import replays, settings, subscriptions
from chassis.database import Database, Session
from contracts import topology

BEGINNING = "beginning"
_DIGITS = 18
_LIST = text(
    "SELECT id::text, queue, is_repeat, position, coalesce(until, :last), requested_at, reason FROM replays"
    " WHERE finished_at IS NULL ORDER BY requested_at"
)


def place(_: click.Context, parameter: click.Parameter, value: str | None) -> int | datetime | None:
    """A place in the history: its beginning, a position, or a time (UTC)."""
    if value is None or value == BEGINNING:
        return 0 if value else None
    if value.isascii() and value.isdigit() and len(value) <= _DIGITS:
        return int(value)
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError as error:
        fault = f"{value} is no position, no time such as 2026-11-24T08:00, and not {BEGINNING}"
        raise click.BadParameter(fault, param=parameter) from error


@click.command()
@click.option("--subscriber", required=True, help="A queue (dept.civil-affairs.cases) or a service (notify).")
@click.option("--from", "first", callback=place, default=BEGINNING, show_default=True, help="The first event's.")
@click.option("--until", "last", callback=place, help="The last event's; without it, the newest.")
def replay(subscriber: str, first: int | datetime, last: int | datetime | None) -> None:
    """Send a subscriber events of the history again, beside what is new.

    FROM and UNTIL are a position (list-replays shows some), a time (UTC), or `beginning`. Events from FROM on are sent,
    up to and with UNTIL if that is a position, before it if it is a time. Each carries the header `onehall-replay`, so
    that a department's program knows it was asked for. A service of ours drops what it has handled, so that for one
    this is harmless, and useless unless an operator has taken rows out of its inbox.
    """
    settings.load_local_environment()
    found = 0
    for source in topology.publishers():
        with Database(settings.database_url(source), pool_size=1).transaction() as session:
            for queue in _queues(source, session):
                if subscriber in (queue.name, queue.name.split(".")[0]):
                    found += 1
                    _ask(session, queue, first, last)
    if not found:
        raise click.BadParameter(f"no subscriber {subscriber}", param_hint="--subscriber")


@click.command("list-replays")
def list_replays() -> None:
    """List replays under way: source, queue, kind, position, end, asked for at, reason, id.

    `live` is one that ends with the queue hearing what is new, `again` a range that was asked for.
    """
    settings.load_local_environment()
    for source in topology.publishers():
        with Database(settings.database_url(source), pool_size=1).transaction() as session:
            last = replays.last_position(session)
            for id_, queue, is_repeat, position, until, requested_at, reason in session.execute(_LIST, {"last": last}):
                kind = "again" if is_repeat else "live"
                click.echo(
                    f"{source}\t{queue}\t{kind}\t{position}\t{until}\t{requested_at:%Y-%m-%dT%H:%M:%SZ}\t{reason}\t{id_}"
                )


def _queues(source: str, session: Session) -> list[topology.Queue]:
    standing = subscriptions.queues(session) if source == topology.SUBSCRIBABLE else []
    return [*topology.service_queues(source), *standing]


def _ask(session: Session, queue: topology.Queue, first: int | datetime, last: int | datetime | None) -> None:
    newest = replays.last_position(session)
    after = first - 1 if isinstance(first, int) else replays.position_before(session, first)
    until = newest if last is None else last if isinstance(last, int) else replays.position_before(session, last)
    after, until = max(after, 0), min(until, newest)
    if until <= after:
        raise click.ClickException(f"no event of {queue.source} lies there: its history ends at position {newest}")
    kept = replays.kept_from(session)
    if after < kept:
        click.echo(f"the history of {queue.source} begins behind position {kept}: what is older is not kept", err=True)
    id_ = replays.repeat(session, queue, after, until, "asked for by an operator")
    click.echo(f"{queue.name}\t{after + 1}\t{until}\t{id_}")
