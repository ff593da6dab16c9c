"""A service with a guard switched off or a fault built in: `python -m tests.chaos.altered <service> <change>...`.

What a guard is for shows in what goes wrong without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chassis import failpoints, inbox, outbox, run
from chassis.database import Session
from contracts import topology
from contracts.envelope import Envelope

POISONED = "ONEHALL_POISONED"
"""A file with the numbers of the cases whose acceptance no handler survives."""


class Poisoned(Exception):
    """What a faulty handler raises, each time."""


def without_inbox() -> None:
    """Every delivery takes effect."""
    inbox.receive = _take_always


def without_parking() -> None:
    """An event is handled when it comes, and not again; its predecessor may not have been."""
    receive = inbox.receive

    def receive_at_once(session: Session, envelope: Envelope, handler: inbox.Handler) -> inbox.Receipt:
        receipt = receive(session, envelope, handler)
        if receipt.outcome is inbox.Outcome.PARKED:
            inbox.unpark(session, envelope)
            return _take_always(session, envelope, handler)
        return receipt

    inbox.receive = receive_at_once


def poisoned() -> None:
    """The handler raises for the acceptance of some cases, and its patience ends after one second."""
    topology.RETRY_DELAYS = (1,)
    receive = inbox.receive

    def receive_unless_poisoned(session: Session, envelope: Envelope, handler: inbox.Handler) -> inbox.Receipt:
        def handle(session: Session, envelope: Envelope) -> None:
            if envelope.type == "case.accepted" and envelope.subject in Path(os.environ[POISONED]).read_text().split():
                raise Poisoned(envelope.subject)
            handler(session, envelope)

        return receive(session, envelope, handle)

    inbox.receive = receive_unless_poisoned


def slow_to_commit() -> None:
    """Stop between an event's row and the commit: it has its id, and nobody sees it yet."""
    add = outbox.add

    def add_and_stop(*arguments: Any, **more: Any) -> None:
        add(*arguments, **more)
        failpoints.reach("outbox.added")

    outbox.add = add_and_stop


def _take_always(session: Session, envelope: Envelope, handler: inbox.Handler) -> inbox.Receipt:
    handler(session, envelope)
    return inbox.Receipt(inbox.Outcome.DONE)


CHANGES: dict[str, Callable[[], None]] = {
    "without-inbox": without_inbox,
    "without-parking": without_parking,
    "poisoned": poisoned,
    "slow-to-commit": slow_to_commit,
}

if __name__ == "__main__":
    service, *changes = sys.argv[1:]
    for change in changes:
        CHANGES[change]()
    run.run(f"services.{service}.service:{service.capitalize()}Service")
