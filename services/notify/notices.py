"""Notices of security that wait to be sent: asked of the API at the moment of sending, never stored here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import httpx2

from contracts import security
from services.notify.api import Api, ApiUnavailable
from services.notify.wording import known_locale


@dataclass(frozen=True, slots=True)
class SecurityNotice:
    """`code` says "this was not me", or sets the password of a recovery; None if there is nothing to say."""

    address: str
    change: str
    code: str | None
    locale: str
    name: str


class NoticeBook:
    """`way` is `mail` or `sms`. A recipient is a notice's id, or that and `former` for the address of before."""

    def __init__(self, api: Api, way: str) -> None:
        self._api = api
        self._way = way

    def find(self, recipients: Collection[str]) -> dict[str, SecurityNotice]:
        """Which is not in the answer need not be sent any more. Raises `ApiUnavailable`."""
        ids = sorted({recipient.partition(" ")[0] for recipient in recipients})
        try:
            answer = self._api.post("/api/v1/security-notices", {"notices": ids}).raise_for_status().json()
            found = {recipient: self._notice(recipient, answer) for recipient in recipients}
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ApiUnavailable(f"security notices: {type(error).__name__}") from error
        return {recipient: notice for recipient, notice in found.items() if notice is not None}

    def _notice(self, recipient: str, answer: dict[str, Any]) -> SecurityNotice | None:
        alert, _, former = recipient.partition(" ")
        fields = answer.get(alert, {})
        address = fields.get("addresses", {}).get(f"{self._way}-{security.FORMER}" if former else self._way)
        if not address:
            return None
        locale, name = known_locale(fields.get("locale")), str(fields.get("name") or "")
        return SecurityNotice(address, fields["change"], fields["code"], locale, name)

    def confirm_sent(self, recipients: Collection[str]) -> None:
        """Nothing to do: what was told stays good, and could be told again."""
