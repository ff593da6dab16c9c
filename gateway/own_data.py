"""All that the platform holds of somebody, gathered from every service for a file of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

Call = Callable[..., Awaitable[Any]]

A_PAGE: Final = 100
MOST_PAGES: Final = 20
"""Of cases, of messages, and of certificates: the file stays one that a browser and a gateway can hold."""


async def gather(call: Call) -> dict[str, Any]:
    """Answer with everything, or raise what a service raised: half a file would look like a whole one.

    `cases`, `messages` and `certificates` each say with `next` from where on the API has more, null if that is all. A
    page of cases takes two calls, which is 84 calls for the most that a file holds, and eight for nearly everybody.
    """
    # first, for it knows whether this is somebody who may, and notes it in the access log
    known: dict[str, Any] = await call("identity.get_personal_data")
    cases, waiting, drafts, messages, preferences, certificates = await asyncio.gather(
        _pages(lambda cursor: _cases(call, cursor)),
        call("cases.list_own_waiting"),
        call("cases.list_own_drafts"),
        _pages(lambda cursor: call("notify.list_inbox", cursor, A_PAGE)),
        call("notify.get_preferences"),
        _pages(lambda cursor: call("cases.list_certificates", cursor, A_PAGE)),
    )
    told = {"drafts": drafts, "messages": messages, "preferences": preferences, "certificates": certificates}
    return known | {"cases": cases, "waiting_parts": waiting} | told


async def _cases(call: Call, cursor: str | None) -> dict[str, Any]:
    """Each with its rating."""
    found: dict[str, Any] = await call("cases.list_own_cases", cursor, A_PAGE)
    numbers = [case["number"] for case in found["items"]]
    ratings = await call("rating.list_own_ratings", numbers) if numbers else {}
    return found | {"items": [case | {"rating": ratings.get(case["number"])} for case in found["items"]]}


async def _pages(load: Callable[[str | None], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    items: list[Any] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        found = await load(cursor)
        items += found["items"]
        cursor = found["next"]
        if cursor is None:
            break
    return {"items": items, "next": cursor}
