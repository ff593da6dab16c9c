"""People at work while a fault is made: they file, close and rate cases without pause, and repeat what fails."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle

import httpx2

from tests.people import People
from tests.processes import wait_until

ITEMS = {"residence-permit": "officer", "sole-trader": "officer2"}
"""Service item -> the officer of its department."""

HONEST = {httpx2.codes.CREATED, httpx2.codes.OK, httpx2.codes.CONFLICT, httpx2.codes.SERVICE_UNAVAILABLE}
"""What the door may answer while something behind it is gone. A conflict: an action whose answer was lost is done."""

PAUSE_SECONDS = 0.2
"""Between two cases of one person: what waits at the end of a long fault stays an amount that can be waited for."""

ANSWER_SECONDS = 120
"""Far longer than any fault: who is not answered by then never will be."""


class Load:
    """What was asked and answered so far. Safe to read from the thread that makes the fault."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._ending = threading.Event()
        self.cases: set[str] = set()
        """The number of every case that a filing was answered with."""
        self.answers: Counter[int | str] = Counter()
        """Every answer by its status, and what the connection raised by its class."""

    @property
    def filed(self) -> int:
        return len(self.cases)

    def wait_for_more(self, count: int, seconds: float = 60) -> None:
        """Return when so many further filings were answered."""
        wanted = self.filed + count
        wait_until(f"{count} more filings are answered", lambda: self.filed >= wanted, seconds)

    def end(self) -> None:
        self._ending.set()

    def work(self) -> None:
        """One person's day: each case filed, every second one closed, every fourth one rated."""
        for turn, (item, officer) in enumerate(cycle(ITEMS.items())):
            if self._ending.wait(PAUSE_SECONDS):
                return
            key = str(uuid.uuid4())
            filed = self._until_answered(lambda item=item, key=key: self._people.file(item=item, key=key))
            number = filed.json()["number"]
            self.cases.add(number)
            if turn % 4 < 2:
                self._until_answered(lambda number=number: self._people.act("clerk", number, "accept"))
                self._until_answered(lambda number=number, who=officer: self._people.act(who, number, "approve"))
            if turn % 4 == 0:
                self._until_answered(lambda number=number: self._people.rate(number))

    def _until_answered(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        def try_once() -> httpx2.Response | None:
            try:
                response = ask()
            except httpx2.TransportError as error:
                self.answers[type(error).__name__] += 1
                return None
            self.answers[response.status_code] += 1
            # done by a try before it whose answer was lost
            return response if response.is_success or response.status_code == httpx2.codes.CONFLICT else None

        return wait_until("there is an answer", try_once, ANSWER_SECONDS)


@contextmanager
def under_load(people: People, at_once: int = 4) -> Iterator[Load]:
    """All are at work when the block begins, and everything that was asked has been answered when it is left."""
    for item in ITEMS:
        people.example(item)
    for username in ("citizen", "clerk", *ITEMS.values()):
        people.sign_in(username)
    load = Load(people)
    with ThreadPoolExecutor(at_once) as pool:
        working: list[Future[None]] = [pool.submit(load.work) for _ in range(at_once)]
        try:
            load.wait_for_more(2 * at_once)
            yield load
        finally:
            load.end()
    for one in working:
        one.result()
