"""What a person reads while the platform starts and stops."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[str], None]


class Failure(Exception):
    """Something a person has to put right. The text is one line that says what to do."""


class Stopwatch:
    """Tells each phase with the seconds it took."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun
        self._tell(f"[{self.seconds[name]:5.1f} s] {name}")


def silent(_line: str) -> None:
    """For callers who look at the outcome only."""


def wait_until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Return as soon as `condition` holds; raise `Failure` with the text `otherwise` when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(otherwise)
        time.sleep(0.05)
