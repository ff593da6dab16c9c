"""How drafts look to a reader: plain JSON, times in UTC."""

from __future__ import annotations

from typing import Any

from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.drafts import domain
from services.cases.drafts.domain import Draft, Merge
from services.cases.views import time_view


def listed_view(draft: Any, catalogue: Catalogue) -> dict[str, Any]:
    """Of a draft or its row: what a list shows, nothing of what was typed."""
    return {
        "id": draft.id,
        "item": draft.item,
        "item_name": catalogue.name_of(draft.item),
        "item_version": draft.item_version,
        "revision": draft.revision,
        "channel": draft.channel,
        "created_at": time_view(draft.created_at),
        "updated_at": time_view(draft.updated_at),
        "expires_at": time_view(draft.expires_at),
        "is_outdated": draft.item in catalogue and catalogue.get(draft.item).version != draft.item_version,
    }


def draft_view(draft: Draft, item: ServiceItem, catalogue: Catalogue) -> dict[str, Any]:
    """The whole draft, and what a newer version of its item would make of it.

    `newer` is None, or `{"version", "fits", "left_over"}`: the names of the answers that would be carried over, and of
    those that would not. `left_over` are answers that have lost their field already.
    """
    return listed_view(draft, catalogue) | {
        "form": draft.form,
        "left_over": dict(draft.left_over),
        "newer": _newer(draft, item, catalogue),
    }


def saved_view(merge: Merge, catalogue: Catalogue, base: int) -> dict[str, Any]:
    """What a save did: `conflicts` were not saved; `changed` is what others have written since `base`."""
    draft = merge.draft
    conflicts = [
        {"field": each.field, "stands": each.stands, "refused": each.refused, "channel": each.channel}
        for each in merge.conflicts
    ]
    apart = {each.field for each in merge.conflicts}
    changed = {
        name: entry.value for name, entry in draft.entries.items() if base < entry.revision and name not in apart
    }
    return listed_view(draft, catalogue) | {"form": draft.form, "conflicts": conflicts, "changed": changed}


def _newer(draft: Draft, item: ServiceItem, catalogue: Catalogue) -> dict[str, Any] | None:
    published = catalogue.get(draft.item) if draft.item in catalogue else item
    if published.version == draft.item_version or not published.is_online:
        return None
    carried = domain.carry_over(
        draft, published.version, published.description["form"], channel=draft.channel, at=draft.updated_at
    )
    answered = draft.form
    return {
        "version": published.version,
        "fits": [name for name in answered if name in carried.entries],
        "left_over": [name for name in answered if name not in carried.entries],
    }
