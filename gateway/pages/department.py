"""A department's own pages, for its officers: its subscriptions, and how each one is doing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.filters import ANY
from gateway.catalogue import ItemSearch
from gateway.pages.visits import Visit, Visited

router = APIRouter(prefix="/department")

A_PAGE = 20
MOST_ITEMS = 100


@router.get("")
async def go_to_department() -> Response:
    return RedirectResponse("/department/", 303)


@router.get("/")
async def show_department(visit: Visited, cursor: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    subscriptions = await visit.call("cases.list_subscriptions", cursor, A_PAGE)
    names = await _item_names(visit)
    shown = [(each, _in_words(visit, each["filter"], names)) for each in subscriptions["items"]]
    return visit.render("department.html", subscriptions=shown, next=subscriptions["next"])


@router.get("/subscriptions/{name:code}")
async def show_subscription(
    visit: Visited, name: str, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    shown = await visit.call("cases.get_subscription_overview", name, cursor)
    heard = _in_words(visit, shown["subscription"]["filter"], await _item_names(visit))
    return visit.render("subscription.html", heard=heard, **shown)


async def _item_names(visit: Visit) -> dict[str, Any]:
    """Of the catalogue's first page, which is at hand; any other item is shown by its code."""
    items = await visit.items.search(ItemSearch(limit=MOST_ITEMS))
    return {item["code"]: item["name"] for item in items["items"]}


def _in_words(visit: Visit, parts: dict[str, list[str]], item_names: dict[str, Any]) -> dict[str, list[str]]:
    """The parts of a filter in the order of reading, each as words; none for any."""
    word: dict[str, Callable[[str], str]] = {
        "types": partial(visit.say.word, "event"),
        "departments": partial(visit.say.word, "department"),
        "items": lambda code: visit.say.pick(item_names.get(code, code)),
        "kinds": partial(visit.say.word, "kind"),
        "regions": str,
    }
    return {part: [word[part](value) for value in parts[part] if value != ANY] for part in word}
