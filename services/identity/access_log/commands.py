"""What appends to the access log. It is written in the transaction that shows the data."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime, timedelta

from chassis import recently
from chassis.database import Session
from contracts.envelope import Envelope
from contracts.events import DataViewed
from services.identity.access_log import store
from services.identity.access_log.domain import Entry, Look

ONE_LOOK = timedelta(minutes=10)
"""Whoever opens the same thing again within it is still at the same look."""

A_DAY = timedelta(days=1)
"""For programs that ask again and again: an entry a minute would hide from the citizen what people look at."""


def note_look(session: Session, look: Look, now: datetime) -> None:
    note_looks(session, [look], now)


def note_looks(session: Session, looks: Sequence[Look], now: datetime, window: timedelta = ONE_LOOK) -> None:
    """Those that were not noted within the window already."""
    by_key = {recently.key_of("look", *(part or "" for part in astuple(look))): look for look in looks}
    claimed = recently.claim(session, by_key, window, now)
    store.append(session, [Entry(str(uuid.uuid4()), now, by_key[key]) for key in sorted(claimed)])


def note_act(session: Session, look: Look, now: datetime) -> None:
    """What is noted each time, such as a token that speaks for the citizen."""
    store.append(session, [Entry(str(uuid.uuid4()), now, look)])


def take_over_look(session: Session, envelope: Envelope) -> None:
    """Append a look that another service tells of; told again, it is the same entry."""
    viewed = envelope.data
    assert isinstance(viewed, DataViewed)  # noqa: S101 - on_event hands out by type
    look = Look(
        account=viewed.account,
        viewer=viewed.viewer,
        client=viewed.client,
        role=viewed.role,
        department=_given(viewed.department),
        channel=envelope.channel,
        what=viewed.what,
        number=_given(viewed.number),
        purpose=viewed.purpose,
        hall=_given(viewed.hall),
    )
    store.append(session, [Entry(viewed.look, envelope.time, look)])


def _given(part: str) -> str | None:
    return None if part == "-" else part
