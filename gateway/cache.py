"""Answers that may be a little old, kept for some seconds."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class TimedCache(Generic[Value]):
    def __init__(self, seconds: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._entries: dict[Hashable, tuple[float, Value]] = {}

    async def get(self, key: Hashable, load: Callable[[], Awaitable[Value]]) -> Value:
        entry = self._entries.get(key)
        now = self._clock()
        if entry is not None and now - entry[0] < self._seconds:
            return entry[1]
        value = await load()
        if len(self._entries) >= self._size:
            self._entries.clear()
        self._entries[key] = (now, value)
        return value

    def forget(self, key: Hashable) -> None:
        self._entries.pop(key, None)

    def forget_where(self, is_meant: Callable[[Value], bool]) -> None:
        self._entries = {key: entry for key, entry in self._entries.items() if not is_meant(entry[1])}
