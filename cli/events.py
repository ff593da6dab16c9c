"""`onehall events`: dead letters, parked events and replays."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import text

from chassis import dead_letters, settings, subscriptions
from chassis.database import Database
from chassis.dead_letters import DeadLetter, DeadLetters, Filter
from chassis.inbox import PredecessorMissing
from cli import replays
from contracts import topology

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def events() -> None:
    """What subscribers could not handle, what waits behind it, and what they are to hear again."""


def filters(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which dead letters are meant. Times are UTC."""

    @click.option("--subscriber", help="A service (notify) or a queue (dept.civil-affairs.cases).")
    @click.option("--id", "event_id", help="One event.")
    @click.option("--type", "type_", help="Such as case.submitted.")
    @click.option("--case", "subject", help="The case number (or account).")
    @click.option("--since", type=_TIME, help="Events of this time or later.")
    @click.option("--until", type=_TIME, help="Events before this time.")
    @functools.wraps(command)
    def filtered(
        subscriber: str | None,
        event_id: str | None,
        type_: str | None,
        subject: str | None,
        since: datetime | None,
        until: datetime | None,
        **more: Any,
    ) -> None:
        if subscriber is not None and not _queues(subscriber):
            raise click.BadParameter(f"no subscriber {subscriber}", param_hint="--subscriber")
        wanted = Filter(event_id, type_, subject, _utc(since), _utc(until))
        command(subscriber=subscriber, wanted=wanted, **more)

    return filtered


@events.command("list-dead")
@filters
def list_dead(subscriber: str | None, wanted: Filter) -> None:
    """List dead letters, one a line: queue, time, type, subject, sequence, id."""
    for letter, _ in _taken(subscriber, wanted):
        click.echo(_line(letter))


@events.command()
@filters
def show(subscriber: str | None, wanted: Filter) -> None:
    """Print dead letters whole, as JSON; what cannot be read as an event comes as it is."""
    for letter, _ in _taken(subscriber, wanted):
        click.echo(letter.body.decode(errors="backslashreplace"))


@events.command()
@filters
@click.option("--all", "everything", is_flag=True, help="Needed when no other option says which.")
def redrive(subscriber: str | None, wanted: Filter, everything: bool) -> None:
    """Give dead letters to their subscriber again, in the order of their cases. Each still has one effect."""
    _require_choice(subscriber, wanted, everything)
    _each(subscriber, wanted, "redriven", lambda letter, letters: letters.redrive(letter))


@events.command()
@filters
@click.option("--all", "everything", is_flag=True, help="Needed when no other option says which.")
def discard(subscriber: str | None, wanted: Filter, everything: bool) -> None:
    """Give dead letters up for good; the cases that waited behind them go on."""
    _require_choice(subscriber, wanted, everything)
    _each(subscriber, wanted, "discarded", lambda letter, letters: letters.discard(letter, _database_of(letter)))


events.add_command(replays.replay)
events.add_command(replays.list_replays)


@events.command("list-parked")
def list_parked() -> None:
    """List events that wait for a predecessor: subscriber, source, subject, sequence, waiting since."""
    settings.load_local_environment()
    for service in topology.SUBSCRIPTIONS:
        with Database(settings.database_url(service), pool_size=1).transaction() as session:
            rows = session.execute(
                text("SELECT source, subject, sequence, parked_at FROM inbox_parked ORDER BY source, subject, sequence")
            )
            for source, subject, sequence, parked_at in rows:
                click.echo(f"{service}\t{source}\t{subject}\t{sequence}\t{parked_at:%Y-%m-%dT%H:%M:%SZ}")


def _each(subscriber: str | None, wanted: Filter, done: str, act: Callable[[DeadLetter, DeadLetters], None]) -> None:
    count = 0
    for letter, letters in _taken(subscriber, wanted):
        try:
            act(letter, letters)
        except PredecessorMissing as error:
            subject, sequence = error.args
            raise click.ClickException(
                f"{subject} is done up to {sequence} only, so this event is not the next one: deal with that one first"
            ) from error
        count += 1
    click.echo(f"{count} {done}")


def _taken(subscriber: str | None, wanted: Filter) -> Iterator[tuple[DeadLetter, DeadLetters]]:
    for queue in _queues(subscriber):
        with dead_letters.open_channel(os.environ["AMQP_URI"]) as channel:
            letters = DeadLetters(channel, queue)
            for letter in letters.take(wanted):
                yield letter, letters


def _queues(subscriber: str | None) -> list[topology.Queue]:
    settings.load_local_environment()
    with Database(settings.database_url(topology.SUBSCRIBABLE), pool_size=1).transaction() as session:
        return dead_letters.queues(subscriber, subscriptions.queues(session))


def _database_of(letter: DeadLetter) -> Database | None:
    """The subscriber's, when it is a service of ours: a department keeps its own account of what it has handled."""
    service = letter.queue.name.split(".")[0]
    return _database(service) if service in topology.SUBSCRIPTIONS else None


@functools.cache
def _database(service: str) -> Database:
    """One connection for all letters, however many there are."""
    return Database(settings.database_url(service), pool_size=1)


def _require_choice(subscriber: str | None, wanted: Filter, everything: bool) -> None:
    if subscriber is None and wanted == Filter() and not everything:
        raise click.UsageError("say which: --subscriber, --type, --case, --id, --since, --until, or --all")


def _line(letter: DeadLetter) -> str:
    envelope = letter.envelope
    if envelope is None:
        return f"{letter.queue.name}\tunreadable\t{len(letter.body)} bytes"
    told = json.loads(letter.body)
    return "\t".join(
        (letter.queue.name, told["time"], envelope.type, envelope.subject, str(envelope.sequence), envelope.id)
    )


def _utc(time: datetime | None) -> datetime | None:
    return time and time.replace(tzinfo=UTC)
