"""`@timer(interval=seconds)`: an entrypoint that runs every so often, in each replica. `@on_due(name)`: see below."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nameko import timer as nameko_timer

from chassis import schedule
from contracts.errors import ServiceError

_LOOK_SECONDS = 1.0


class Timer(nameko_timer.Timer):
    """Nameko's, except that an answer such as "the database is away" is no error worth a stack: it comes again."""

    def __init__(self, interval: float) -> None:
        super().__init__(interval, expected_exceptions=ServiceError)


timer = Timer.decorator


def on_due(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let `method(self, session, due)` run what `chassis.schedule.at` asked for under `name`, in one transaction."""

    def decorate(method: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(method)
        def run_due(self: Any) -> None:
            handler = functools.partial(method, self)
            schedule.run_due(self.database, self.name, name, handler, datetime.now(UTC))

        entrypoint: Callable[..., None] = timer(interval=_LOOK_SECONDS)(run_due)
        return entrypoint

    return decorate
