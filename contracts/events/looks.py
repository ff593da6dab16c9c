"""Who looked at whose data, and what the citizen says of it."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events.accounts import AccountEvent
from contracts.events.base import Event


@dataclass(frozen=True, slots=True)
class DataViewed(Event):
    """Somebody else than the citizen looked at the citizen's data. Each look is a subject of its own.

    So looks at one citizen's data never wait for each other. `viewer` is an account's `sub` or a client's id; `role`,
    `what` and `purpose` are codes of `contracts.access`; `number` names the thing; `hall` is the counter's; `-` where
    none applies.
    """

    type = "data.viewed"
    source = "cases"
    is_alone = True

    look: str
    account: str
    viewer: str
    client: str
    role: str
    department: str
    what: str
    number: str
    purpose: str
    hall: str = "-"

    @property
    def subject(self) -> str:
        return self.look


@dataclass(frozen=True, slots=True)
class LookReported(AccountEvent):
    """The citizen says that an entry of their access log looks wrong. What they say is asked of identity."""

    type = "account.look-reported"

    report: str


@dataclass(frozen=True, slots=True)
class LookAnswered(AccountEvent):
    """An auditor has answered such a report."""

    type = "account.look-answered"

    report: str
