"""Asks registers of evidence what is due, until it is stopped (`chassis.sending`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from chassis import failpoints
from chassis.database import Database, Session
from chassis.sealing import Seal
from chassis.sending import Clock, Sending
from services.cases.registries import commands
from services.cases.registries.adapter import Answer, HttpRegistry, NoAnswer, open_registry
from services.cases.registries.commands import Attempt, Deliver
from services.cases.registries.domain import Asked, Registry

log = logging.getLogger(__name__)

MOST_UNDER_WAY = 32


class RegistryAsker(Sending[Asked, Answer | NoAnswer]):
    """`secrets` is register -> what it knows us by; one that is not in it is left to whoever has its secret."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        secrets: Mapping[str, str],
        deliver: Deliver,
        now: Clock = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(database, MOST_UNDER_WAY, now)
        self._seal = seal
        self._secrets = secrets
        self._deliver = deliver
        self._open: dict[Registry, HttpRegistry] = {}

    def owner_of(self, message: Asked) -> str:
        return message.registry.name

    async def send(self, message: Asked) -> Answer | NoAnswer:
        try:
            return await self._adapter_of(message.registry).look_up(commands.question_of(message))
        except NoAnswer as none:
            return none
        except Exception as error:
            # a fault of ours in one question must not keep the others back. Its text may hold what was asked
            log.error("a question ended in an error of its own: %s", type(error).__name__)  # noqa: TRY400
            return NoAnswer("unexpected")

    def take_due(self, session: Session, busy: Mapping[str, int], most: int, now: datetime) -> list[Asked]:
        return commands.take_due(session, self._seal, self._secrets.keys(), busy, most, now)

    def settle(self, session: Session, finished: Sequence[Attempt], now: datetime) -> Callable[[], None]:
        if finished:
            failpoints.reach("registries.asked")
        return partial(commands.count, finished, commands.settle(session, finished, self._deliver, now))

    def measure(self, session: Session, now: datetime) -> None:
        commands.measure(session, now)

    async def close(self) -> None:
        for adapter in self._open.values():
            await adapter.close()

    def _adapter_of(self, registry: Registry) -> HttpRegistry:
        """With its token and its connections, for as long as it is described as it is."""
        adapter = self._open.get(registry)
        if adapter is None:
            adapter = open_registry(registry.url, registry.client_id, self._secrets[registry.name])
            self._open[registry] = adapter
        return adapter
