"""Which of the published messages the broker has not confirmed yet."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Confirms(Generic[T]):
    """Of one channel. Delivery tags count its publishings from 1; the broker may confirm in any order."""

    def __init__(self) -> None:
        self._waiting: deque[T | None] = deque()
        self._first = 1

    def add(self, item: T) -> None:
        """One more was published."""
        self._waiting.append(item)

    def take(self, tag: int, multiple: bool) -> list[T]:
        """What the broker confirms with `tag`: that one, or all up to it."""
        if not multiple and tag != self._first:
            return self._take_early(tag)
        taken = [self._waiting.popleft() for _ in range(tag - self._first + 1)]
        self._first = tag + 1
        while self._waiting and self._waiting[0] is None:
            self._waiting.popleft()
            self._first += 1
        return [item for item in taken if item is not None]

    def _take_early(self, tag: int) -> list[T]:
        item = self._waiting[tag - self._first]
        self._waiting[tag - self._first] = None
        return [] if item is None else [item]

    def __len__(self) -> int:
        """How far the broker is behind."""
        return len(self._waiting)

    def items(self) -> list[T]:
        return [item for item in self._waiting if item is not None]
