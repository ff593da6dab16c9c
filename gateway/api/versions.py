"""Versions of cases in HTTP: `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1)."""

from __future__ import annotations

import re
from typing import Any, Final

ANY: Final = "*"

_TAG = re.compile(r'"([0-9]{1,9})"')


def etag(case: dict[str, Any]) -> dict[str, str]:
    """The header that names this version of the case: each change of it is one more entry of its history."""
    return {"ETag": f'"{case["sequence"]}"'} if "sequence" in case else {}


def named_in(if_match: str | None) -> list[int] | str | None:
    """The versions that `If-Match` names; what is no tag of ours, a weak one too, matches none."""
    if if_match is None:
        return None
    return ANY if if_match.strip() == ANY else [int(number) for number in _strong(if_match)]


def _strong(if_match: str) -> list[str]:
    # strong comparison: W/"3" never matches
    return [match[1] for part in if_match.split(",") if (match := _TAG.fullmatch(part.strip()))]
