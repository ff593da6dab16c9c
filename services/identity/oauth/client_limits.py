"""Limits at the protocol endpoints: on guessing a client's secret, and on requests that are refused again and again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from authlib.oauth2 import OAuth2Error

from chassis.database import Session
from chassis.limits import Rule
from services.identity.limits import guard, store
from services.identity.limits.domain import CLIENT, PROTOCOL_ADDRESS
from services.identity.limits.guard import LimitKeys
from services.identity.oauth.http import Answer

LIMITED = ("token", "revoke", "par", "device_authorization", "introspect", "register", "registration")
"""Endpoints that take a secret."""

_PATIENT = ('"authorization_pending"', '"slow_down"')
"""What a device hears while it waits (RFC 8628, section 3.5); it has an interval of its own."""

_MOST_NAME = 200


class TooManyRequests(OAuth2Error):
    """RFC 6585, section 4. RFC 6749, section 5.2 has no word for it; this one is of section 4.1.2.1."""

    error = "temporarily_unavailable"
    description = "Too many requests that were refused. Wait, and mend what was refused."
    status_code = 429

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self._seconds = rule.seconds

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), ("Retry-After", str(self._seconds))]


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Of one request. A client is limited where it calls from only: nobody elsewhere can lock it out."""

    session: Session
    keys: LimitKeys
    now: datetime

    def require_address(self) -> None:
        """Raise `TooManyRequests`."""
        self._require(self.keys.of_address(PROTOCOL_ADDRESS))

    def require_client(self, client_id: str) -> None:
        """Before its proof is looked at. Raise `TooManyRequests`, whether there is such a client or not."""
        self._require(self.keys.of_address(CLIENT, client_id[:_MOST_NAME]))

    def count_wrong_proof(self, client_id: str) -> None:
        store.take(self.session, self.keys.of_address(CLIENT, client_id[:_MOST_NAME]), self.now)

    def count_answer(self, answer: Answer) -> None:
        if 400 <= answer["status"] < 500 and not any(word in answer["body"] for word in _PATIENT):
            store.take(self.session, self.keys.of_address(PROTOCOL_ADDRESS), self.now)

    def _require(self, buckets: list[store.Bucket]) -> None:
        refused = store.spent(self.session, buckets, self.now)
        if refused:
            guard.count(refused)
            raise TooManyRequests(next(iter(refused)))
