"""The catalogue of service items, as the API and the pages read it: asked of `cases` once a second.

What is published shows in two seconds at most, since `cases` looks once a second, too. However many people read an
item, it is asked for no more often.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.cache import TimedCache
from gateway.rpc.client import Rpc

FRESH_SECONDS = 1


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """What is looked for; `None` is everything. `facets` asks for how many there are of each department, kind, ..."""

    q: str | None = None
    department: str | None = None
    kind: str | None = None
    audience: str | None = None
    online: bool | None = None
    cursor: str | None = None
    limit: int = 20
    facets: bool = False


class Items:
    def __init__(self, rpc: Rpc, clock: Callable[[], float] = time.monotonic) -> None:
        self._rpc = rpc
        self._items: TimedCache[dict[str, Any]] = TimedCache(FRESH_SECONDS, 1_000, clock)
        self._lists: TimedCache[dict[str, Any]] = TimedCache(FRESH_SECONDS, 500, clock)

    async def get(self, code: str) -> dict[str, Any]:
        return await self._items.get(code, lambda: self._rpc.call("cases.get_item", code))

    def forget(self, code: str) -> None:
        """There is a newer version."""
        self._items.forget(code)

    async def search(self, search: ItemSearch) -> dict[str, Any]:
        asked = (search.q, search.department, search.kind, search.cursor, search.limit)
        narrowed = (search.audience, search.online, search.facets)
        return await self._lists.get(search, lambda: self._rpc.call("cases.list_items", *asked, *narrowed))
