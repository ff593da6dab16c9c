"""`@timer(interval=seconds)`: an entrypoint that runs every so often, in each replica."""

from __future__ import annotations

from nameko import timer as nameko_timer

from contracts.errors import ServiceError


class Timer(nameko_timer.Timer):
    """Nameko's, except that an answer such as "the database is away" is no error worth a stack: it comes again."""

    def __init__(self, interval: float) -> None:
        super().__init__(interval, expected_exceptions=ServiceError)


timer = Timer.decorator
