"""What an entry says, and how entries are chained. No clock, no database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.actors import Actor


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at `account`'s data. `viewer` is an account's subject or a client's id; codes: contracts.access.

    `number` names the thing where it has a number. `department` is the viewer's, `hall` the counter's that they were
    at. `detail` says in codes what an entry is about that is no look.
    """

    account: str
    viewer: str
    client: str
    role: str
    department: str | None
    channel: str
    what: str
    number: str | None
    purpose: str
    hall: str | None = None
    detail: str | None = None

    @classmethod
    def by(cls, actor: Actor, account: str, what: str, *, role: str, purpose: str) -> Look:
        """A look by whoever makes the call."""
        return cls(
            account=account,
            viewer=actor.subject,
            client=actor.client,
            role=role,
            department=actor.department,
            channel=actor.channel,
            what=what,
            number=None,
            purpose=purpose,
            hall=actor.counter,
        )


_LATER = ("hall", "detail")
"""Younger than the first entries, whose hashes do not know them: where they say nothing they are left out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A look as it is kept. `id` is its own, and stays the same however often it is told."""

    id: str
    at: datetime
    look: Look

    @property
    def canonical(self) -> dict[str, Any]:
        said = {name: value for name, value in asdict(self.look).items() if value is not None or name not in _LATER}
        return said | {"id": self.id, "at": self.at.astimezone(UTC).isoformat(timespec="microseconds")}


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain: its position, from 1, and the hash of all up to it. Position 0 is before the first."""

    position: int
    hash: bytes

    def followed_by(self, entry: Entry) -> Link:
        """SHA-256 over the hash before, the position and the entry as canonical JSON (RFC 8785 for texts and integers).

        So an entry that is changed, moved, put in or taken out changes every hash behind it.
        """
        position = self.position + 1
        said = entry.canonical | {"position": position}
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return Link(position, hashlib.sha256(self.hash + text.encode("utf-8", "surrogatepass")).digest())

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Link:
        """As `str` gives it. Raise `ValueError` for anything else."""
        position, _, digest = text.partition(":")
        link = cls(int(position), bytes.fromhex(digest))
        if link.position < 0 or len(link.hash) != len(FIRST.hash):
            raise ValueError(text)
        return link


FIRST = Link(0, bytes(32))


@dataclass(frozen=True, slots=True)
class Cut:
    """Entries `first` to `last.position`, all of before `before`, are no longer kept; the rest goes on from `last`.

    `digest` covers it and all cuts before it, as a hash of the chain does.
    """

    number: int
    first: int
    last: Link
    before: datetime
    cut_at: datetime
    digest: bytes

    @classmethod
    def after(cls, previous: Cut | None, last: Link, before: datetime, cut_at: datetime) -> Cut:
        number, first, digest = (
            (previous.number + 1, previous.last.position + 1, previous.digest) if previous else (1, 1, b"")
        )
        moments = [moment.astimezone(UTC).isoformat(timespec="microseconds") for moment in (before, cut_at)]
        text = json.dumps([number, first, str(last), *moments])
        return cls(number, first, last, before, cut_at, hashlib.sha256(digest + text.encode()).digest())


def kept_since(now: datetime, years: int) -> datetime:
    """The first moment that is kept: a month's beginning, so that it is cut a month at a time."""
    return now.astimezone(UTC).replace(year=now.year - years, day=1, hour=0, minute=0, second=0, microsecond=0)
