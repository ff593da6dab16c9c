"""One-time codes that wait to be sent: asked of the API at the moment of sending, never stored here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import httpx2

from services.notify.api import Api, ApiUnavailable
from services.notify.wording import known_locale


@dataclass(frozen=True, slots=True)
class Code:
    """`minutes` is how long it is still good, rounded up."""

    address: str
    code: str
    locale: str
    minutes: int


class CodeBook:
    def __init__(self, api: Api) -> None:
        self._api = api

    def find(self, challenges: Collection[str]) -> dict[str, Code]:
        """Which is not in the answer need not be sent any more. Raises `ApiUnavailable`."""
        try:
            answer = self._api.post("/api/v1/codes", {"challenges": sorted(challenges)})
            return {challenge: _code(fields) for challenge, fields in answer.raise_for_status().json().items()}
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ApiUnavailable(f"codes: {type(error).__name__}") from error

    def confirm_sent(self, challenges: Collection[str]) -> None:
        """They are kept readable no longer. Raises `ApiUnavailable`; each ends by itself within five minutes too."""
        try:
            self._api.post("/api/v1/codes/sent", {"challenges": sorted(challenges)}).raise_for_status()
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ApiUnavailable(f"codes: {type(error).__name__}") from error


def _code(fields: dict[str, Any]) -> Code:
    minutes = -(-int(fields["seconds"]) // 60)
    return Code(fields["address"], fields["code"], known_locale(fields.get("locale")), max(1, minutes))
