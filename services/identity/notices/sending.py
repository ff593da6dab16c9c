"""Sends what is due until it is stopped. Any number of these may run: each notice is taken by one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from chassis import failpoints
from chassis.database import Database, Session
from chassis.sending import Clock, Sending
from chassis.webhooks.rules import Result
from chassis.webhooks.sender import Message
from services.identity.notices import commands
from services.identity.notices.commands import Attempt, LoadIssuer, LogoutMessage

MOST_UNDER_WAY = 64


class Sends(Protocol):
    async def send(self, message: Message) -> Result: ...


class NoticeSender(Sending[LogoutMessage, Result]):
    """`load_issuer` signs in one transaction."""

    def __init__(
        self,
        database: Database,
        load_issuer: LoadIssuer,
        sender: Sends,
        now: Clock = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(database, MOST_UNDER_WAY, now)
        self._load_issuer = load_issuer
        self._sender = sender

    def owner_of(self, message: LogoutMessage) -> str:
        return message.owner

    async def send(self, message: LogoutMessage) -> Result:
        return await self._sender.send(message)

    def take_due(self, session: Session, busy: Mapping[str, int], most: int, now: datetime) -> list[LogoutMessage]:
        return commands.take_due(session, self._load_issuer, busy, most, now)

    def settle(self, session: Session, finished: Sequence[Attempt], now: datetime) -> Callable[[], None]:
        if finished:
            failpoints.reach("notices.sent")
        return partial(commands.count, finished, commands.settle(session, finished, now))

    def measure(self, session: Session, now: datetime) -> None:
        commands.measure(session, now)
