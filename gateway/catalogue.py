"""The catalogue of service items, as the API and the pages read it: asked of `cases` once a minute."""

from __future__ import annotations

from typing import Any

from gateway.cache import TimedCache
from gateway.rpc.client import Rpc

FRESH_SECONDS = 60


class Items:
    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._items: TimedCache[dict[str, Any]] = TimedCache(FRESH_SECONDS, 1_000)
        self._lists: TimedCache[dict[str, Any]] = TimedCache(FRESH_SECONDS, 500)

    async def get(self, code: str) -> dict[str, Any]:
        return await self._items.get(code, lambda: self._rpc.call("cases.get_item", code))

    def forget(self, code: str) -> None:
        """There is a newer version."""
        self._items.forget(code)

    async def search(
        self, q: str | None, department: str | None, kind: str | None, cursor: str | None, limit: int
    ) -> dict[str, Any]:
        query = (q, department, kind, cursor, limit)
        return await self._lists.get(query, lambda: self._rpc.call("cases.list_items", *query))
