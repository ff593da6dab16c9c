"""Which of the published messages the broker has not confirmed yet."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Confirms(Generic[T]):
    """Of one channel. Delivery tags count its publishings from 1; the broker may confirm in any order.

    It confirms a message when the last of its queues has it, so one that goes to fewer queues may overtake. Here none
    does: what is confirmed early is held back until all before it are confirmed too.
    """

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._early: set[int] = set()
        self._first = 1

    def add(self, item: T) -> None:
        """One more was published."""
        self._waiting.append(item)

    def take(self, tag: int, multiple: bool) -> list[T]:
        """What is confirmed, with `tag` or all up to it, and has nothing unconfirmed before it; as it was published."""
        if not multiple and tag != self._first:
            self._early.add(tag)
            return []
        last = tag
        if self._early:
            while last + 1 in self._early:
                last += 1
            self._early = {early for early in self._early if early > last}
        taken = [self._waiting.popleft() for _ in range(last - self._first + 1)]
        self._first = last + 1
        return taken

    def __len__(self) -> int:
        """How far the broker is behind."""
        return len(self._waiting)

    def items(self) -> list[T]:
        """Published and not taken."""
        return list(self._waiting)
